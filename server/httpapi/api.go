// Package httpapi is the HTTP edge of the server: it turns requests into calls of packages intake, journal, fanout
// and tools, and their results into answers. It knows neither rules nor storage.
//
// What this guarantees: every request body is decoded by package contracts; every answer to a request that went
// wrong, 404 and 405 included, is a problem document (RFC 9457) that echoes nothing of the request; a viewer that
// does not read is cut off without another one noticing; requests under a foreign Host, writes from a foreign origin
// and, where a token is set, requests without it are refused before anything else looks at them.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// Intake is the part of intake.Intake that requests reach.
type Intake interface {
	Create(ctx context.Context, doc []byte, o intake.CreateOptions) (c contracts.Created, replayed bool, err error)
	Fork(ctx context.Context, parent contracts.RunID, seq contracts.Seq, doc []byte, o intake.CreateOptions) (c contracts.Created, replayed bool, err error)
	Claim(ctx context.Context, c contracts.ClaimRequest) (*contracts.Claimed, error)
	As(token intake.Token) intake.Holder
	Cancel(ctx context.Context, id contracts.RunID, r contracts.CancelRequest) error
	Decide(ctx context.Context, id contracts.RunID, approval contracts.ApprovalID, d contracts.ApprovalDecision) error
	Snapshot(ctx context.Context, id contracts.RunID) (contracts.Snapshot, error)
}

// Journal is the part of journal.Journal that requests read.
type Journal interface {
	Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error)
	List(ctx context.Context, q journal.Query) ([]contracts.Summary, error)
	Ready(ctx context.Context) error
}

// Catalogue is the part of tools.Catalogue that requests reach.
type Catalogue interface {
	List() []contracts.ToolEntry
	Put(ctx context.Context, spec *contracts.ToolSpec) (contracts.ToolEntry, error)
	Delete(ctx context.Context, ref contracts.ToolRef) error
}

// Engines lists the engines that runs can be given to.
type Engines interface {
	List() []contracts.Engine
}

// Config is what an API is made of. The first six fields are required.
type Config struct {
	Intake    Intake
	Journal   Journal
	Hub       *fanout.Hub
	Catalogue Catalogue
	Engines   Engines
	Log       *slog.Logger

	// Version is the server's, for /healthz and /metrics.
	Version string
	// Fallback serves the console's pages and assets: what GET and HEAD ask for and no route of the API has. Where it
	// is nil, or answers 404 to a client that does not read HTML, that is a problem document.
	Fallback http.Handler

	// ContractsVersion is that of the four inputs that the server gives out, the current one or the one before; the
	// current one where zero.
	ContractsVersion int

	// Hosts are the names under which the server may be addressed beside loopback ones, without a port.
	Hosts []string
	// Token, where not empty, must come with every request of the API, as a bearer token or by the cookie that
	// /login sets.
	Token string
	// CORSOrigins are other origins whose pages may use the API, such as https://console.example.
	CORSOrigins []string

	// NoStreaming refuses streams, for networks that hold them back; everything can be polled.
	NoStreaming bool
	// MaxViewers is how many streams and requests that wait for events may be open at once; 10 000 where zero.
	MaxViewers int
	// OpenRate is how many streams may be opened a second, and at once after a quiet second; 1000 where zero.
	OpenRate int
	// ReplayRate is how many bytes of history streams may be given a second, and twice that at once; 256 MiB where zero.
	ReplayRate int64
	// Heartbeat is the time between two signs of life on a stream; 15 s where zero.
	Heartbeat time.Duration
	// WriteTimeout is how long a viewer may take to accept a write before it is cut off; 10 s where zero.
	WriteTimeout time.Duration
	// AnswerTimeout is how long an answer that is no stream may take until the client has it; 5 min where zero.
	AnswerTimeout time.Duration
	// ReadTimeout is how long a request's body may take to arrive; 30 s where zero.
	ReadTimeout time.Duration
	// IngestIdle is how long an engine that keeps its request open may send nothing, not even a blank line; 90 s where zero.
	IngestIdle time.Duration
	// Now is the clock, which must run at the speed of the system's; time.Now where nil.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.ContractsVersion == 0 {
		c.ContractsVersion = contracts.Version
	}
	if c.MaxViewers == 0 {
		c.MaxViewers = 10_000
	}
	if c.OpenRate == 0 {
		c.OpenRate = 1000
	}
	if c.ReplayRate == 0 {
		c.ReplayRate = 256 << 20
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 10 * time.Second
	}
	if c.AnswerTimeout == 0 {
		c.AnswerTimeout = 5 * time.Minute
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 30 * time.Second
	}
	if c.IngestIdle == 0 {
		c.IngestIdle = 90 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of the clock that everything else takes from here
	}
	return c
}

// API is the HTTP edge. It is an http.Handler for an http.Server without a WriteTimeout: streams outlive every such
// limit. The API sets deadlines itself.
type API struct {
	Config
	router  *mux.Router
	guard   *guard
	metrics *metrics

	admission *admission
	streams   streams
	buffers   sync.Pool // of *bytes.Buffer, so that a viewer that waits holds none
}

// New returns an API. The error says which of CORSOrigins is not an origin.
func New(cfg Config) (*API, error) {
	a := &API{Config: cfg.withDefaults()}
	g, err := newGuard(a.Config)
	if err != nil {
		return nil, err
	}
	a.guard = g
	a.admission = newAdmission(a.Config)
	a.metrics = newMetrics(a.Hub, a.admission, a.Version)
	a.router = a.routes()
	return a, nil
}
