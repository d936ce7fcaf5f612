package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"axiom25/server/console"
	"axiom25/server/engine"
	"axiom25/server/engine/local"
	"axiom25/server/fanout"
	"axiom25/server/httpapi"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/natsjournal"
	"axiom25/server/journal/sqlitejournal"
	"axiom25/server/retention"
	"axiom25/server/tools"
	"axiom25/server/tools/builtin"
)

// journalFile is the journal's name in the data directory.
const journalFile = "axiom25.db"

// serve runs the server until ctx ends, and prints its address to out once it can be reached.
//
// It starts from the inside out: journal, catalogue, engines, intake, which ends what an earlier process left behind,
// and then the edge. It stops from the outside in: the streams one by one, no new requests, the requests that
// run, the engines, the deadlines, and the journal last, so that whatever was said on the way is still stored.
func serve(ctx context.Context, f serveFlags, out, stderr io.Writer) (err error) {
	log, err := newLogger(f.logFormat, stderr)
	if err != nil {
		return err
	}
	if err := guardAddress(f); err != nil {
		return err
	}
	ceiling, err := parseCeiling(f.ceiling)
	if err != nil {
		return err
	}

	policy, err := f.retention.policy()
	if err != nil {
		return err
	}

	store, err := openJournal(ctx, f.journal, f.data, log, openingAny)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	hub := fanout.New(store)
	catalogue, err := tools.Open(ctx, store, log, builtin.All()...)
	if err != nil {
		return fmt.Errorf("open the tool catalogue: %w", err)
	}
	engines, err := newSupervisor(f.localPace, store, catalogue, hub, log)
	if err != nil {
		return err
	}
	door, err := intake.New(intake.Config{
		Journal: store, Hub: hub, Catalogue: catalogue, Engines: engines, Log: log, Now: clock(),
		Ceiling: ceiling, ApprovalTTL: f.approvalTTL, DrainGrace: f.drainGrace,
		LeaseTTL: f.leaseTTL, Expiry: intake.Expiry(f.leaseExpired),
	})
	if err != nil {
		return err
	}
	pages, err := console.New(console.Config{})
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	edge := httpapi.Config{
		Intake: door, Journal: store, Hub: hub, Catalogue: catalogue, Engines: engines, Log: log, Now: clock(),
		Version: version(), ContractsVersion: f.contracts.number, Fallback: pages, Hosts: f.knownHosts(), Token: f.token, CORSOrigins: f.origins,
	}
	if err := f.streaming.apply(&edge); err != nil {
		return err
	}
	api, err := httpapi.New(edge)
	if err != nil {
		return err
	}
	if err := door.Recover(ctx); err != nil {
		return fmt.Errorf("take up unfinished runs: %w", err)
	}
	keeper, err := retention.New(retention.Config{Journal: store, Policy: policy, Log: log, Now: clock(), Pruned: hub.PublishRow})
	if err != nil {
		return err
	}
	listener, address, err := listen(ctx, f.addr)
	if err != nil {
		return err
	}
	house := house{
		edge: newHTTPServer(api, log), api: api, drainViewers: f.streaming.drainViewers,
		engines: engines, door: door, catalogue: catalogue, keeper: keeper,
	}
	house.edge.RegisterOnShutdown(api.Close)
	if _, err := fmt.Fprintln(out, "Axiom25 is listening on "+address); err != nil {
		return errors.Join(err, listener.Close())
	}
	err = house.run(ctx, listener)
	log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "stopped")
	return err
}

// newSupervisor returns the engines of this process.
func newSupervisor(pace time.Duration, store journal.Journal, catalogue *tools.Catalogue, hub *fanout.Hub, log *slog.Logger) (*engine.Supervisor, error) {
	registry, err := engine.NewRegistry(&local.Engine{Pace: pace})
	if err != nil {
		return nil, err
	}
	_, shared := store.(journal.Live)
	return engine.NewSupervisor(engine.SupervisorConfig{Registry: registry, Calls: catalogue, Hub: hub, Log: log, Shared: shared})
}

// house is what runs while the server does.
type house struct {
	edge *http.Server
	api  *httpapi.API
	// drainViewers is over how long viewers are sent away.
	drainViewers time.Duration

	engines *engine.Supervisor
	door    *intake.Intake
	keeper  *retention.Keeper

	catalogue *tools.Catalogue
}

// run serves until ctx ends or something breaks. Then it stops from the outside in, and returns what broke.
func (h house) run(ctx context.Context, listener net.Listener) error {
	inner := context.WithoutCancel(ctx)
	engines, stopEngines := context.WithCancel(inner)
	defer stopEngines()
	deadlines, stopDeadlines := context.WithCancel(inner)
	defer stopDeadlines()

	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return unlessOver(deadlines, h.door.Run(deadlines)) })
	group.Go(func() error { return unlessOver(deadlines, h.keeper.Run(deadlines)) })
	group.Go(func() error { return unlessOver(deadlines, h.catalogue.Run(deadlines)) })
	group.Go(func() error {
		defer stopDeadlines() // engines may wait for a deadline until the last of them has ended
		return unlessOver(engines, h.engines.Run(engines, h.door))
	})
	group.Go(func() error {
		if err := h.edge.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-running.Done()
		defer stopEngines()
		h.api.Drain(inner, h.drainViewers)
		return h.shutdown(inner)
	})
	return group.Wait()
}

// shutdown lets the requests that run finish, and the streams end, for as long as stopTimeout.
func (h house) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	defer h.api.Wait(ctx)
	if err := h.edge.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop serving: %w", err), h.edge.Close())
	}
	return nil
}

// unlessOver returns err, unless it only says that ctx ended.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// opening says what is opened.
type opening bool

const (
	// openingAny makes a journal where there is none, openingKept takes one that is there alone.
	openingAny  opening = false
	openingKept opening = true
)

// openJournal opens the journal that --journal names, or where it is empty that of a data directory.
func openJournal(ctx context.Context, address, dir string, log *slog.Logger, which opening) (journal.Journal, error) {
	if address != "" {
		return openCluster(ctx, address, log, which)
	}
	if _, err := os.Stat(filepath.Join(dir, journalFile)); which == openingKept && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--data %s: there is no journal", dir)
	}
	if err := makeDataDirectory(dir); err != nil {
		return nil, err
	}
	store, err := sqlitejournal.Open(ctx, filepath.Join(dir, journalFile), sqlitejournal.Options{})
	if errors.Is(err, journal.ErrLocked) {
		return nil, fmt.Errorf("--data %s: another server uses this directory", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return store, nil
}

// openCluster opens the journal in a NATS cluster. Its errors do not quote the address, which can hold a password.
func openCluster(ctx context.Context, address string, log *slog.Logger, which opening) (journal.Journal, error) {
	opts, err := natsjournal.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("--journal: %w", err)
	}
	opts.Log, opts.Existing = log, which == openingKept
	store, err := natsjournal.Open(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("--journal: %w", err)
	}
	return store, nil
}

// makeDataDirectory makes a data directory where there is none.
func makeDataDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

// clock is the one place where this program asks the system for the time.
func clock() func() time.Time {
	return time.Now //nolint:forbidigo // everything else takes the clock as a field
}
