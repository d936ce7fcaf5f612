package natsjournal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// maxSeq is the highest seq of a run, which is what the other journals hold too.
const maxSeq contracts.Seq = 1<<32 - 1

// chunkKind says what a message on a run's subject is.
type chunkKind byte

const (
	// chunkEvents holds the events of an append.
	chunkEvents chunkKind = 'e'
	// chunkTombstone is what is left of a run that was pruned: its summary. It is the last message of its run for good.
	chunkTombstone chunkKind = 't'
	// chunkVoid keeps a run from being created whose idempotency key was given to another: see reserveKey.
	chunkVoid chunkKind = 'v'
)

// chunkVersion is the first byte of every chunk.
const chunkVersion = 1

// chunk is a message on a run's subject: what one append stored.
type chunk struct {
	kind        chunkKind
	run         contracts.RunID
	id          string // the append's
	first, last contracts.Seq
	epoch       int64 // the greatest under which the run was written so far
	state       contracts.State
	origin      *journal.Origin
	// link is the place in the stream of the last chunk before this one that has an origin; 0 where none has.
	link    uint64
	summary []byte
	task    []byte // of the first chunk: the run's key, digest and TaskSpec, framed; else empty
	events  []byte // framed
}

// The kinds of checksums.
const (
	sumMeta   = 'm'
	sumTask   = 't'
	sumEvents = 'e'
	sumRecord = 'r'
)

// encode returns the chunk's bytes: version, three checksums, and the framed meta, summary, task and events. Damage to
// events leaves the summary and the task readable, and the other way round.
func (c chunk) encode() []byte {
	meta := make([]byte, 0, 256)
	meta = append(meta, byte(c.kind))
	for _, text := range []string{c.id, string(c.state)} {
		meta = journal.AppendFrame(meta, []byte(text))
	}
	for _, number := range []int64{int64(c.first), int64(c.last), c.epoch} {
		meta = binary.AppendVarint(meta, number)
	}
	meta = binary.AppendUvarint(meta, c.link)
	if c.origin != nil {
		meta = binary.AppendVarint(meta, int64(c.origin.After))
		meta = journal.AppendFrame(meta, []byte(c.origin.Digest))
	}
	meta = append(meta, 0)
	run := []string{c.run.String()}
	data := make([]byte, 0, 32+len(meta)+len(c.summary)+len(c.task)+len(c.events))
	data = append(data, chunkVersion)
	data = binary.LittleEndian.AppendUint32(data, uint32(journal.Sum(sumMeta, c.summary, []string{c.run.String(), string(meta)})))
	data = binary.LittleEndian.AppendUint32(data, uint32(journal.Sum(sumTask, c.task, run)))
	data = binary.LittleEndian.AppendUint32(data, uint32(journal.Sum(sumEvents, c.events, run, int64(c.first), int64(c.last))))
	data = journal.AppendFrame(data, meta)
	data = journal.AppendFrame(data, c.summary)
	data = journal.AppendFrame(data, c.task)
	return append(data, c.events...)
}

// errDamaged says that bytes do not match their checksum.
var errDamaged = errors.New("does not match its checksum")

// stored is a chunk as it was read.
type stored struct {
	chunk
	place uint64 // its sequence in the stream
	// tasks and body say whether the checksums of the task and of the events hold; that of the rest does.
	tasks, body bool
}

// decodeChunk reads a chunk of a run. Its error is errDamaged.
func decodeChunk(run contracts.RunID, m message) (stored, error) {
	s := stored{place: m.seq}
	s.run = run
	data := m.data
	if len(data) < 13 || data[0] != chunkVersion {
		return s, errDamaged
	}
	sums := data[1:13]
	meta, data, ok1 := journal.NextFrame(data[13:])
	summary, data, ok2 := nextIf(ok1, data)
	task, events, ok3 := nextIf(ok2, data)
	if !ok3 || uint32(journal.Sum(sumMeta, summary, []string{run.String(), string(meta)})) != binary.LittleEndian.Uint32(sums) {
		return s, errDamaged
	}
	s.summary, s.task, s.events = summary, task, events
	if !decodeMeta(meta, &s.chunk) {
		return s, errDamaged
	}
	texts := []string{run.String()}
	s.tasks = uint32(journal.Sum(sumTask, task, texts)) == binary.LittleEndian.Uint32(sums[4:])
	s.body = uint32(journal.Sum(sumEvents, events, texts, int64(s.first), int64(s.last))) == binary.LittleEndian.Uint32(sums[8:])
	return s, nil
}

// nextIf is journal.NextFrame, where what comes before was framed.
func nextIf(ok bool, body []byte) (frame, rest []byte, framed bool) {
	if !ok {
		return nil, nil, false
	}
	return journal.NextFrame(body)
}

// decodeMeta reads what encode wrote of a chunk beside its summary, task and events.
func decodeMeta(meta []byte, c *chunk) bool {
	if len(meta) == 0 {
		return false
	}
	c.kind = chunkKind(meta[0])
	id, rest, ok := journal.NextFrame(meta[1:])
	state, rest, ok := nextIf(ok, rest)
	if !ok {
		return false
	}
	c.id, c.state = string(id), contracts.State(state)
	var numbers [3]int64
	for i := range numbers {
		number, n := binary.Varint(rest)
		if n <= 0 {
			return false
		}
		numbers[i], rest = number, rest[n:]
	}
	c.first, c.last, c.epoch = contracts.Seq(numbers[0]), contracts.Seq(numbers[1]), numbers[2]
	link, n := binary.Uvarint(rest)
	if n <= 0 {
		return false
	}
	c.link = link
	if rest = rest[n:]; len(rest) <= 1 {
		return len(rest) == 1
	}
	after, n := binary.Varint(rest)
	if n <= 0 {
		return false
	}
	digest, _, ok := journal.NextFrame(rest[n:])
	c.origin = &journal.Origin{After: contracts.Seq(after), Digest: contracts.Digest(digest)}
	return ok
}

// splitEvents returns the events, and whether they are whole.
func (s stored) splitEvents() (events [][]byte, whole bool) {
	rest := s.events
	for len(rest) > 0 {
		event, behind, ok := journal.NextFrame(rest)
		if !ok {
			return nil, false
		}
		events, rest = append(events, event), behind
	}
	return events, s.body
}

// lastOrigin returns the place of the newest chunk with an origin, this one included.
func (s stored) lastOrigin() uint64 {
	if s.origin != nil {
		return s.place
	}
	return s.link
}

// decodeSummary reads the chunk's summary.
func (c chunk) decodeSummary() (contracts.Summary, error) {
	var s contracts.Summary
	if err := json.Unmarshal(c.summary, &s); err != nil {
		return contracts.Summary{}, errors.Join(&journal.DamagedError{Run: c.run}, err)
	}
	return s, nil
}

// encodeTask frames what a run's first chunk says of the run.
func encodeTask(run journal.Run) []byte {
	task := make([]byte, 0, len(run.Task)+len(run.Key)+len(run.TaskDigest)+16)
	task = journal.AppendFrame(task, []byte(run.Key))
	task = journal.AppendFrame(task, []byte(run.TaskDigest))
	return journal.AppendFrame(task, run.Task)
}

// decodeTask reads what encodeTask framed.
func (s stored) decodeTask() (journal.Run, error) {
	key, rest, ok := journal.NextFrame(s.task)
	digest, rest, ok := nextIf(ok, rest)
	task, _, ok := nextIf(ok, rest)
	if !ok || !s.tasks {
		return journal.Run{}, &journal.DamagedError{Run: s.run}
	}
	return journal.Run{ID: s.run, Key: string(key), TaskDigest: contracts.Digest(digest), Task: task}, nil
}

// newChunk checks a batch against the limits and encodes it. What depends on the end of the run is left out: epoch and
// link.
func newChunk(id contracts.RunID, b journal.Batch) (chunk, error) {
	size := 0
	for _, event := range b.Events {
		size += len(event)
	}
	last := b.After + contracts.Seq(len(b.Events))
	switch {
	case len(b.Events) == 0:
		return chunk{}, journal.ErrEmpty
	case len(b.Events) > journal.MaxBatchEvents, size > journal.MaxBatchBytes, last > maxSeq:
		return chunk{}, journal.ErrTooLarge
	}
	summary := b.Summary
	summary.RunID, summary.LastSeq = id, last
	text, err := json.Marshal(summary)
	if err != nil {
		return chunk{}, fmt.Errorf("encode summary of run %s: %w", id, err)
	}
	events := make([]byte, 0, size+len(b.Events)*binary.MaxVarintLen32)
	for _, event := range b.Events {
		events = journal.AppendFrame(events, event)
	}
	c := chunk{
		kind: chunkEvents, run: id, first: b.After + 1, last: last, epoch: b.Epoch,
		state: summary.State, summary: text, events: events,
	}
	if b.Origin != nil {
		origin := *b.Origin
		c.origin = &origin
	}
	return c, nil
}

// seal returns a record as the small streams hold it: version, checksum, the write's id, and the payload. The checksum
// covers the subject.
func seal(subject, id string, payload []byte) []byte {
	body := journal.AppendFrame(nil, []byte(id))
	body = append(body, payload...)
	data := append(make([]byte, 0, 5+len(body)), chunkVersion)
	data = binary.LittleEndian.AppendUint32(data, uint32(journal.Sum(sumRecord, body, []string{subject})))
	return append(data, body...)
}

// open reads what seal wrote. Its error is errDamaged.
func open(m message) (id string, payload []byte, err error) {
	if len(m.data) < 5 || m.data[0] != chunkVersion {
		return "", nil, errDamaged
	}
	body := m.data[5:]
	if uint32(journal.Sum(sumRecord, body, []string{m.subject})) != binary.LittleEndian.Uint32(m.data[1:]) {
		return "", nil, errDamaged
	}
	name, payload, ok := journal.NextFrame(body)
	if !ok {
		return "", nil, errDamaged
	}
	return string(name), payload, nil
}
