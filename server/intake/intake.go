// Package intake is the only way into the journal: everything that becomes an event passes here, is held
// against the contracts, the catalogue, the budget and the run's state, is stored, and only then shown.
//
// It guarantees that
//
//   - one batch of a run is in flight at a time: its lock is held from the fold to the fan-out, so that viewers
//     are woken in the order of seq;
//   - a batch is stored whole or not at all, with what the server adds to it (gates, receipts, meter readings,
//     changes of state, the end of the run) in the same append;
//   - every event that is stored keeps the 18 invariants of package runstate.
package intake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/journal"

	"github.com/oklog/ulid/v2"
)

// Engines chooses who carries a run out.
type Engines interface {
	// Choose returns the engine for a task, or a *contracts.Problem: unavailable, or invalid-document where the
	// engine cannot carry this task out. tools are the task's allowed tools by exact reference.
	Choose(task *contracts.TaskSpec, tools map[contracts.ToolRef]*contracts.ToolSpec) (Choice, error)
	// Start hands a created run to an in-process engine. It returns at once.
	Start(id contracts.RunID, engine string)
}

// Choice is the engine that a task is given to.
type Choice struct {
	// Name is the engine's.
	Name string
	// InProcess says that it runs inside this server and dies with it.
	InProcess bool
}

// Catalogue is what intake needs of package tools.
type Catalogue interface {
	contracts.Catalogue
	// Entry returns what ref names with its digest and gate.
	Entry(ref contracts.ToolRef) (contracts.ToolEntry, bool)
}

// Defaults of Config.
const (
	DefaultApprovalTTL = 10 * time.Minute
	DefaultDrainGrace  = 10 * time.Second
	DefaultCacheBytes  = 64 << 20
	DefaultLeaseTTL    = 30 * time.Second
	DefaultNodeTTL     = 10 * time.Second
)

// Config is what an Intake is made of. Every field without a default is required.
type Config struct {
	Journal   journal.Journal
	Hub       *fanout.Hub
	Catalogue Catalogue
	Engines   Engines
	Log       *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Ceiling is the most that a task may ask for; the max profile where zero.
	Ceiling contracts.Limits
	// ApprovalTTL is how long a human may take; DefaultApprovalTTL where zero.
	ApprovalTTL time.Duration
	// DrainGrace is how long an engine may take to finish a draining run; DefaultDrainGrace where zero.
	DrainGrace time.Duration
	// CacheBytes bounds the memory of the folded runs that are kept; DefaultCacheBytes where zero.
	CacheBytes int64
	// LeaseTTL is how long an external engine's lease lasts from each renewal, and NodeTTL that of an engine inside this
	// server, at least journal.MinLeaseTTL each; DefaultLeaseTTL and DefaultNodeTTL where zero.
	LeaseTTL, NodeTTL time.Duration
	// Expiry is what becomes of a run that has begun when its external engine's lease expires; ExpiryRequeue where empty.
	Expiry Expiry
}

// Intake is the door. Its methods may be called from any number of goroutines.
//
// An error that is the client's fault is a *contracts.Problem; the journal's errors are passed on wrapped.
type Intake struct {
	journal journal.Journal
	// live is the journal where other servers write to it too, else nil.
	live      journal.Live
	hub       *fanout.Hub
	catalogue Catalogue
	engines   Engines
	log       *slog.Logger
	now       func() time.Time

	ceiling     contracts.Limits
	approvalTTL time.Duration
	drainGrace  time.Duration
	leaseTTL    time.Duration
	nodeTTL     time.Duration
	expiry      Expiry

	// node is this server as a holder of leases, and nodeSecret what proves it; it never leaves the process.
	node       string
	nodeSecret string

	runs      *runCache
	deadlines *deadlines
	openings  *openings

	entropyMu sync.Mutex
	entropy   io.Reader
}

// New returns a door. Run must be called for deadlines to be kept.
func New(cfg Config) (*Intake, error) {
	if cfg.Journal == nil || cfg.Hub == nil || cfg.Catalogue == nil || cfg.Engines == nil || cfg.Log == nil || cfg.Now == nil {
		return nil, errors.New("intake: journal, hub, catalogue, engines, log and clock are required")
	}
	if cfg.Ceiling == (contracts.Limits{}) {
		cfg.Ceiling = contracts.ProfileLimits(contracts.ProfileMax)
	}
	if cfg.ApprovalTTL == 0 {
		cfg.ApprovalTTL = DefaultApprovalTTL
	}
	if cfg.DrainGrace == 0 {
		cfg.DrainGrace = DefaultDrainGrace
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = DefaultLeaseTTL
	}
	if cfg.NodeTTL == 0 {
		cfg.NodeTTL = DefaultNodeTTL
	}
	switch cfg.Expiry {
	case "":
		cfg.Expiry = ExpiryRequeue
	case ExpiryRequeue, ExpiryEnd:
	default:
		return nil, fmt.Errorf("intake: expiry must be %s or %s", ExpiryRequeue, ExpiryEnd)
	}
	if cfg.LeaseTTL < journal.MinLeaseTTL || cfg.NodeTTL < journal.MinLeaseTTL {
		return nil, fmt.Errorf("intake: a lease lasts at least %s", journal.MinLeaseTTL)
	}
	in := &Intake{
		journal: cfg.Journal, hub: cfg.Hub, catalogue: cfg.Catalogue, engines: cfg.Engines, log: cfg.Log, now: cfg.Now,
		ceiling: cfg.Ceiling, approvalTTL: cfg.ApprovalTTL, drainGrace: cfg.DrainGrace,
		leaseTTL: cfg.LeaseTTL, nodeTTL: cfg.NodeTTL, expiry: cfg.Expiry, nodeSecret: newSecret(),
		runs: newRunCache(cfg.CacheBytes), deadlines: newDeadlines(), openings: &openings{},
		entropy: ulid.Monotonic(rand.Reader, 0),
	}
	in.live, _ = cfg.Journal.(journal.Live)
	id, err := in.newULID()
	if err != nil {
		return nil, fmt.Errorf("intake: name of this server: %w", err)
	}
	in.node = nodePrefix + id
	return in, nil
}

// clock returns the present instant as events carry it.
func (in *Intake) clock() contracts.Time { return contracts.TimeOf(in.now()) }

// newULID returns a lowercase ULID; within a millisecond each is greater than the one before, so that ids of
// runs sort as they were created.
func (in *Intake) newULID() (string, error) {
	in.entropyMu.Lock()
	defer in.entropyMu.Unlock()
	id, err := ulid.New(ulid.Timestamp(in.now()), in.entropy)
	if err != nil {
		return "", err
	}
	return strings.ToLower(id.String()), nil
}

// Snapshot returns a run folded up to its last event; of a run whose history retention has deleted, what is left of it.
// Problems: not-found.
func (in *Intake) Snapshot(ctx context.Context, id contracts.RunID) (contracts.Snapshot, error) {
	r, err := in.acquireLatest(ctx, id)
	if errors.Is(err, journal.ErrPruned) {
		return in.tombstone(ctx, id)
	}
	if err != nil {
		return contracts.Snapshot{}, err
	}
	defer in.release(r)
	return r.snapshot(), nil
}

// tombstone is the snapshot of a run whose history is gone.
func (in *Intake) tombstone(ctx context.Context, id contracts.RunID) (contracts.Snapshot, error) {
	stored, err := in.journal.Run(ctx, id)
	if !errors.Is(err, journal.ErrPruned) {
		return contracts.Snapshot{}, errors.Join(err, journal.ErrPruned)
	}
	stored.Summary.Pruned = true
	return contracts.Snapshot{
		Summary: stored.Summary, OpenCalls: []contracts.OpenCall{}, Verdicts: []contracts.VerdictData{},
		Links: contracts.LinksOf(id),
	}, nil
}

// Task is a run's TaskSpec and what was settled when it was created.
type Task struct {
	// Spec is the task, sensitive inputs included.
	Spec *contracts.TaskSpec
	// Shown is the document as it was sent; where it has sensitive inputs, their content is left out.
	Shown []byte
	// Limits is the effective budget.
	Limits contracts.Limits
	// Tools are the allowed tools' definitions by exact reference. One that changed or went since the run was
	// created is missing.
	Tools map[contracts.ToolRef]*contracts.ToolSpec
	// Backend is the engine that the run was given to.
	Backend string
}

// Task returns a run's TaskSpec with what an in-process engine needs to carry it out. Problems: not-found.
func (in *Intake) Task(ctx context.Context, id contracts.RunID) (Task, error) {
	r, err := in.acquire(ctx, id)
	if err != nil {
		return Task{}, err
	}
	defer in.release(r)
	task := in.taskOf(r)
	if task.Shown, err = withoutSensitive(r.doc, r.task); err != nil {
		return Task{}, err
	}
	return task, nil
}

// taskOf is the run's task but for the document to show. The caller holds the run.
func (in *Intake) taskOf(r *run) Task {
	return Task{Spec: r.task, Limits: r.state.Limits(), Tools: r.pinnedTools(in.catalogue), Backend: r.state.Header().Backend}
}
