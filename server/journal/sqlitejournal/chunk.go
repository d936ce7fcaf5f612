package sqlitejournal

import (
	"database/sql"
	"encoding/binary"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// seqBits is how many low bits of a chunk's place are its first seq; the others are the run's number.
const seqBits = 32

// seqMax is the highest seq that a place can hold.
const seqMax contracts.Seq = 1<<seqBits - 1

// placeOf returns where a chunk lies that begins with seq first.
func placeOf(n int64, first contracts.Seq) int64 { return n<<seqBits | int64(first) }

// chunk is a row of chunks: what one append stored.
type chunk struct {
	run         contracts.RunID
	first, last contracts.Seq
	origin      *journal.Origin
	body        []byte
	sum         checksum
}

// chunkColumns are what scanChunk reads.
const chunkColumns = `place, last, origin_after, origin_digest, sum, body`

// scanChunk reads a row of chunks and verifies its checksum.
func scanChunk(row scanner, run contracts.RunID) (chunk, error) {
	c := chunk{run: run}
	var place int64
	var after sql.Null[contracts.Seq]
	var digest sql.Null[contracts.Digest]
	if err := row.Scan(&place, &c.last, &after, &digest, &c.sum, (*blob)(&c.body)); err != nil {
		return chunk{}, err
	}
	c.first = contracts.Seq(place) & seqMax
	if after.Valid {
		c.origin = &journal.Origin{After: after.V, Digest: digest.V}
	}
	if c.sum != sumChunk(c) {
		return chunk{}, &journal.DamagedError{Run: run, From: c.first}
	}
	return c, nil
}

// blob is a column that is kept as the driver hands it over. database/sql would copy it once more, in case the driver uses
// the memory again; this driver makes a new slice for each value.
type blob []byte

// Scan implements sql.Scanner.
func (b *blob) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = v
	default: // a column that holds something else was not written by the journal
		return &journal.DamagedError{}
	}
	return nil
}

// frameEvents returns the events one behind the other, each behind its length as an unsigned varint. Lengths
// rather than line ends, so that the bytes of an event cannot move the borders of its neighbours.
func frameEvents(events [][]byte) []byte {
	size := 0
	for _, event := range events {
		size += len(event) + binary.MaxVarintLen32
	}
	body := make([]byte, 0, size)
	for _, event := range events {
		body = appendFrame(body, event)
	}
	return body
}

// appendFrame appends a frame behind its length.
func appendFrame(body, frame []byte) []byte {
	body = binary.AppendUvarint(body, uint64(len(frame)))
	return append(body, frame...)
}

// nextFrame returns the first event of body and what follows it; ok is false when body is not framed.
func nextFrame(body []byte) (event, rest []byte, ok bool) {
	length, n := binary.Uvarint(body)
	if n <= 0 || length > uint64(len(body)-n) { //nolint:gosec // n is at most len(body)
		return nil, nil, false
	}
	end := n + int(length) //nolint:gosec // at most len(body)
	return body[n:end:end], body[end:], true
}
