package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"axiom25/contracts"
	"axiom25/server/intake"
)

const (
	// headerTimeout bounds how long a client may take to send its request's head.
	headerTimeout = 10 * time.Second
	// idleTimeout is how long a connection may stay open between two requests.
	idleTimeout = 2 * time.Minute
	// maxHeaderBytes bounds a request's head.
	maxHeaderBytes = 64 << 10
	// stopTimeout bounds how long requests may take to finish once the server stops.
	stopTimeout = 10 * time.Second
)

// serveFlags are the flags of serve.
type serveFlags struct {
	addr, data, token string
	journal           string
	insecure          bool
	hosts, origins    []string
	drainGrace        time.Duration
	approvalTTL       time.Duration
	leaseTTL          time.Duration
	leaseExpired      string
	ceiling           []string
	localPace         time.Duration
	logFormat         string
	streaming         streamingFlags
	retention         retentionFlags
	contracts         *contractsVersion
}

// serveCommand is the server.
func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API and the console",
		Long: `Serve the API and the console, and record every run in the data directory. Ctrl-C stops the server: runs in its own
hands end, runs of external engines go on when it is started again.

An address that other machines can reach needs --token, or --insecure where something else stands guard.

With --journal any number of servers share one journal, kept by a NATS cluster with JetStream: start each with the same
value. Behind the ? may stand shards, replicas, quota (bytes, or 100GiB), prefix, creds (a credentials file), and ca, cert
and key (PEM files). The cluster needs max_payload: 10MB, and sync_interval: always to keep what it acknowledged through a
loss of power.

With --contracts-version the tasks and tools that the server gives out are written in the version before the current one,
for programs that read no later one, as far as that can say them: what it cannot is answered with the problem
not-acceptable, or listed as left out. Both versions are taken all the same, and events are of the current one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.contracts.check(); err != nil {
				return err
			}
			return serve(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8025", "address to listen on; port 0 takes a free one")
	flags.StringVar(&f.data, "data", "./data", "directory of the journal; made where it does not exist")
	flags.StringVar(&f.journal, "journal", "",
		"NATS servers with JetStream that keep the journal in place of --data, as nats://a:4222,nats://b:4222/?replicas=3&shards=1")
	flags.StringVar(&f.token, "token", "", "token that every request must carry")
	flags.BoolVar(&f.insecure, "insecure", false, "allow an address that is not loopback without a token")
	flags.StringSliceVar(&f.hosts, "host", nil, "host name that requests may name beside the address itself (repeatable)")
	flags.StringSliceVar(&f.origins, "cors-origin", nil, "origin of another site that may read answers (repeatable)")
	flags.DurationVar(&f.drainGrace, "drain-grace", 10*time.Second, "how long an engine may take to finish a draining run")
	flags.DurationVar(&f.approvalTTL, "approval-ttl", 10*time.Minute, "how long a call waits for a human's decision")
	flags.DurationVar(&f.leaseTTL, "lease-ttl", intake.DefaultLeaseTTL, "how long an external engine that has claimed a run may stay silent")
	flags.StringVar(&f.leaseExpired, "lease-expired", string(intake.ExpiryRequeue),
		"what becomes of a run whose engine stayed silent: requeue lets another engine claim it, end ends it as failed")
	flags.StringSliceVar(&f.ceiling, "ceiling", nil,
		"most that a task may ask for, as name=value with a budget's field (repeatable); what is not named is the max profile's")
	flags.DurationVar(&f.localPace, "local-pace", 15*time.Millisecond,
		"pause of the local engine between two pieces of text, so that one sees it grow")
	flags.StringVar(&f.logFormat, "log-format", "text", "how to log on stderr: text or json")
	f.contracts = addContractsVersion(flags, "version in which tasks and tools are given out")
	f.streaming.add(flags)
	f.retention.add(flags)
	return cmd
}

// newLogger returns the log that a format names.
func newLogger(format string, w io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	}
	return nil, errors.New("--log-format: want text or json")
}

// guardAddress refuses an address that other machines can reach where nothing asks them who they are.
func guardAddress(f serveFlags) error {
	host, _, err := net.SplitHostPort(f.addr)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if f.token != "" || f.insecure || host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("--addr: other machines can reach this address; give a --token, or --insecure to do without")
}

// knownHosts are the names that requests may address the server by: those of --host and that of --addr, where it is one.
func (f serveFlags) knownHosts() []string {
	host, _, err := net.SplitHostPort(f.addr)
	if ip, notIP := netip.ParseAddr(host); err != nil || host == "" || notIP == nil && ip.IsUnspecified() {
		return f.hosts
	}
	return append([]string{host}, f.hosts...)
}

// parseCeiling reads the most that a task may ask for: the max profile, with what the settings say instead.
func parseCeiling(settings []string) (contracts.Limits, error) {
	l := contracts.ProfileLimits(contracts.ProfileMax)
	fields := map[string]*int64{
		"max_tokens":        &l.MaxTokens,
		"max_wall_ms":       &l.MaxWallMS,
		"max_active_ms":     &l.MaxActiveMS,
		"branch_width":      &l.BranchWidth,
		"reflection_passes": &l.ReflectionPasses,
		"max_tool_calls":    &l.MaxToolCalls,
		"max_cost_microusd": &l.MaxCostMicroUSD,
	}
	for _, setting := range settings {
		name, text, _ := strings.Cut(setting, "=")
		field, known := fields[name]
		value, err := strconv.ParseInt(text, 10, 64)
		if !known || err != nil || value < 0 {
			names := make([]string, 0, len(fields))
			for name := range fields {
				names = append(names, name)
			}
			slices.Sort(names)
			return l, fmt.Errorf("--ceiling: want NAME=NUMBER with one of %s", strings.Join(names, ", "))
		}
		*field = value
	}
	return l, nil
}

// listen opens the address, and returns it as a browser is told it.
func listen(ctx context.Context, addr string) (net.Listener, string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	return l, "http://" + l.Addr().String(), nil
}

// newHTTPServer returns a server without a write timeout: a stream lasts as long as its run, and the handler sets a
// deadline for each of its writes.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
