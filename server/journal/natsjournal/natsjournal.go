// Package natsjournal is the journal of many nodes: a store on NATS JetStream that any number of servers read and write
// at once. It is the one package that speaks NATS.
//
// What it guarantees. A write that returned nil was acknowledged by JetStream, which is after a quorum of the stream's
// replicas stored it. An append is one message on its run's subject, so that its events are stored together or not at
// all, and it names the place of the run's last message, so that of two appends to one place one is stored, whichever
// server made them. What the cluster does not acknowledge is looked for and tried again under the same name and the same
// expectation until it is settled; where that takes too long the write ends as journal.ErrUnknown. A read sees every
// append that was acknowledged before it began, by whichever server: it writes a barrier first, which readers that come
// at the same time share, and takes the answer of a replica that has the barrier. Every message carries checksums over
// what it says and where it lies, and the chunks of a run chain without a gap: damage ends a read with a
// *journal.DamagedError, never in a shorter history.
//
// What can be lost. By default a JetStream server fsyncs every two minutes: what a quorum acknowledged is then in the
// memory of its machines, and a loss of power of a quorum at once loses it. Set `sync_interval: always` in the servers'
// jetstream block for the promise that journal.Journal makes. A stream of one replica has the durability of one disk.
// Where the store of every replica lost the end of a run together, the messages that are gone leave no trace, unless the
// run had ended: its row in the list then says how long it was.
//
// How it is laid out is said in docs/decisions; see layout for names.
package natsjournal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"axiom25/server/journal"
)

// MinPayload is the max_payload in bytes that the servers must allow: what a batch of journal.MaxBatchBytes needs with a
// task of 1 MiB, a summary and what frames them. The setting in a server's configuration is `max_payload: 10MB`.
const MinPayload = journal.MaxBatchBytes + 1<<20 + 512<<10

// Journal implements journal.Live on JetStream. Open makes it.
type Journal struct {
	layout layout
	nc     *nats.Conn
	wire   *wire
	log    *slog.Logger
	// handle tells this journal from every other, writes the number of its last write.
	handle string
	writes atomic.Uint64

	runs                     []*stream
	list, keys, tools, lease *stream

	heads  *heads
	places places
	index  *index
	watch  *watch
	// queue holds a token for each write on its way.
	queue chan struct{}

	// open is held for reading by every call, so that Close waits for those that run.
	open   sync.RWMutex
	closed bool
}

var _ journal.Live = (*Journal)(nil)

// Open connects to a cluster and opens the store in it, which it makes where there is none. The context bounds the
// opening alone. Errors: ErrNoStore where there is none and none must be made; ErrOptions where the options make no sense, are not those of the store, or ask for more than
// the servers allow; and whatever keeps the cluster from being reached.
func Open(ctx context.Context, opts Options) (*Journal, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	var name [8]byte
	_, _ = rand.Read(name[:]) // never fails
	j := &Journal{log: o.Log, handle: hex.EncodeToString(name[:]), heads: newHeads(), queue: make(chan struct{}, o.Queue)}
	if err := j.start(ctx, o); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// start connects and opens the streams.
func (j *Journal) start(ctx context.Context, o Options) (err error) {
	j.watch = newWatch(j, o.Sweep)
	if j.nc, err = connect(ctx, o, j.watch.disturbed); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			j.nc.Close()
		}
	}()
	if have := j.nc.MaxPayload(); have < MinPayload {
		return fmt.Errorf("%w: the servers' max_payload is %d bytes, at least %d are needed: set max_payload: 10MB", ErrOptions, have, MinPayload)
	}
	if j.wire, err = newWire(j.nc); err != nil {
		return err
	}
	js, err := jetstream.New(j.nc)
	if err != nil {
		return err
	}
	var quota int64
	if j.layout, quota, err = openPatiently(ctx, js, o); err != nil {
		return err
	}
	for shard := range j.layout.shards {
		s := j.newStream(j.layout.runStream(shard))
		s.room = quota
		j.runs = append(j.runs, s)
	}
	j.list, j.keys = j.newStream(j.layout.listStream()), j.newStream(j.layout.keyStream())
	j.tools, j.lease = j.newStream(j.layout.toolStream()), j.newStream(j.layout.leaseStream())
	j.index = newIndex(j)
	return j.watch.start() //nolint:contextcheck // it lives until Close
}

// newStream returns a stream of the store.
func (j *Journal) newStream(name string) *stream {
	return &stream{wire: j.wire, name: name, barrier: j.layout.prefix + ".barrier." + name + "." + j.handle}
}

// streams returns all streams of the store.
func (j *Journal) streams() []*stream {
	return append([]*stream{j.list, j.keys, j.tools, j.lease}, j.runs...)
}

// connect connects to one of the servers. disturbed is called when a connection was made again, or messages were lost.
func connect(ctx context.Context, o Options, disturbed func()) (*nats.Conn, error) {
	options := nats.GetDefaultOptions()
	options.Servers = o.URLs
	options.Name = "axiom25"
	options.Token = o.Token
	options.TLSConfig = o.TLS
	options.MaxReconnect = -1
	options.ReconnectWait = 200 * time.Millisecond
	options.ReconnectJitter = 100 * time.Millisecond
	options.ReconnectBufSize = -1 // a write that cannot be sent is not kept: its caller is told
	options.PingInterval = 2 * time.Second
	options.MaxPingsOut = 2
	options.Timeout = 2 * time.Second
	if o.Credentials != "" {
		if err := nats.UserCredentials(o.Credentials)(&options); err != nil {
			return nil, err
		}
	}
	options.DisconnectedErrCB = func(_ *nats.Conn, err error) { //nolint:contextcheck // it is called while the connection lasts
		if err != nil {
			o.Log.LogAttrs(context.Background(), slog.LevelWarn, "journal disconnected", slog.Any("error", err))
		}
	}
	options.ReconnectedCB = func(nc *nats.Conn) { //nolint:contextcheck // it is called while the connection lasts
		o.Log.LogAttrs(context.Background(), slog.LevelInfo, "journal connected again", slog.String("server", nc.ConnectedUrlRedacted()))
		disturbed()
	}
	options.AsyncErrorCB = func(_ *nats.Conn, _ *nats.Subscription, err error) { //nolint:contextcheck // it is called while the connection lasts
		o.Log.LogAttrs(context.Background(), slog.LevelWarn, "journal", slog.Any("error", err))
		disturbed() // a slow consumer lost messages
	}
	for {
		nc, err := options.Connect()
		if err == nil {
			return nc, nil
		}
		if !errors.Is(err, nats.ErrNoServers) || !sleep(ctx, lastPause) {
			return nil, err
		}
	}
}

// openTimeout bounds one attempt to open the streams: servers without a leader do not answer, and what was made stays.
const openTimeout = 3 * time.Second

// openPatiently is openStore, for as long as the cluster has no leader.
func openPatiently(ctx context.Context, js jetstream.JetStream, o Options) (l layout, quota int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		attempt, cancel := context.WithTimeout(ctx, openTimeout)
		l, quota, err = openStore(attempt, js, o)
		cancel()
		refusal, refused := errors.AsType[*jetstream.APIError](err)
		waits := refused && refusal.ErrorCode == codeNotAvailable || errors.Is(err, nats.ErrNoResponders) ||
			errors.Is(err, context.DeadlineExceeded) || errors.Is(err, jetstream.ErrNoStreamResponse)
		if !waits || !sleep(ctx, lastPause) {
			return l, quota, err
		}
	}
}

// enter begins a call: it gives the context's error or journal.ErrUnavailable, or the function that ends the call.
func (j *Journal) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j.open.RLock()
	if j.closed {
		j.open.RUnlock()
		return nil, journal.ErrUnavailable
	}
	return j.open.RUnlock, nil
}

// enterWrite is enter, for a write: journal.ErrBusy where too many are on their way.
func (j *Journal) enterWrite(ctx context.Context) (leave func(), err error) {
	done, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case j.queue <- struct{}{}:
		return func() { <-j.queue; done() }, nil
	default:
		done()
		return nil, journal.ErrBusy
	}
}

// nextID returns a name for a write that no other write has.
func (j *Journal) nextID() string {
	return j.handle + "." + strconv.FormatUint(j.writes.Add(1), 36)
}

// Ready implements journal.Journal: every stream takes a barrier, and runs have room.
func (j *Journal) Ready(ctx context.Context) error {
	leave, err := j.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	for _, s := range j.streams() {
		if _, err := s.fence(ctx); err != nil {
			if refusal, ok := errors.AsType[*apiError](err); ok && refusal.full() {
				return journal.ErrFull
			}
			return fmt.Errorf("stream %s: %w: %w", s.name, journal.ErrBusy, err)
		}
		if s.room == 0 {
			continue
		}
		if err := s.measure(ctx); err != nil {
			return err
		}
		if s.held.Load() >= s.room {
			return fmt.Errorf("stream %s: %w", s.name, journal.ErrFull)
		}
	}
	return nil
}

// Close implements journal.Journal.
func (j *Journal) Close() error {
	j.watch.stop()
	j.open.Lock()
	defer j.open.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	for _, s := range j.streams() {
		s.tasks.Wait()
	}
	j.wire.answered(true)
	j.nc.Close()
	return nil
}
