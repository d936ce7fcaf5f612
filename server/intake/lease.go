package intake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Token is what the holder of a lease proves it by: the lease's epoch, a dot, and a secret. The journal knows a digest of
// the secret alone, so that any server can check a token and none can make one. The empty Token is that of an engine
// that has no lease.
type Token string

// The names of holders in the journal: those of engines end in the digest of their secret.
const (
	enginePrefix = "engine:"
	nodePrefix   = "node:"
	digestMark   = "#"
	// digestHex is how many hexadecimal digits of the secret's SHA-256 stand in a holder's name: 128 bits.
	digestHex = 32
)

// newToken returns a token of a lease.
func newToken(epoch int64, secret string) Token {
	return Token(strconv.FormatInt(epoch, 10) + "." + secret)
}

// split returns a token's parts; ok is false where it is none.
func (t Token) split() (epoch int64, secret string, ok bool) {
	number, secret, found := strings.Cut(string(t), ".")
	epoch, err := strconv.ParseInt(number, 10, 64)
	return epoch, secret, found && err == nil && epoch > 0 && secret != ""
}

// digestOfSecret returns what a holder's name holds of its secret.
func digestOfSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])[:digestHex]
}

// held is what a run knows of its lease. The zero value knows nothing.
type held struct {
	journal.Lease
	// known says that the journal was asked, or answered, since another server last wrote to the run; without a lease the
	// epoch is 0.
	known bool
	// ttl is what the lease was last renewed for.
	ttl time.Duration
}

// opens reports whether a token belongs to the lease. The comparison takes the same time whatever differs.
func (in *Intake) opens(token Token, l journal.Lease) bool {
	epoch, secret, ok := token.split()
	if !ok || epoch != l.Epoch {
		return false
	}
	want, given := "", ""
	if at := strings.LastIndex(l.Holder, digestMark); at >= 0 && strings.HasPrefix(l.Holder, enginePrefix) {
		want, given = l.Holder[at+1:], digestOfSecret(secret)
	} else if l.Holder == in.node {
		want, given = in.nodeSecret, secret
	}
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1
}

// leaseLost is the problem of whoever reports without the run's lease.
func leaseLost() *contracts.Problem {
	return contracts.NewProblem(contracts.ProblemLeaseLost, "the lease has expired, or was given to another engine")
}

// authorize holds an engine's batch against the run's lease, and puts the batch under it. A run that has ended takes
// nothing more, whoever comes: what the same request stored before it still learns.
func (t *turn) authorize(ctx context.Context) error {
	if !t.by.engine || t.run.state.Phase().Terminal() {
		return nil
	}
	l, err := t.in.leaseFor(ctx, t.run, t.by.token)
	if err != nil {
		return err
	}
	t.epoch = l.Epoch
	return nil
}

// leaseFor returns the lease that a token opens, or none where the run needs none. The caller holds the run. The error is
// lease-lost, or the journal's.
func (in *Intake) leaseFor(ctx context.Context, r *run, token Token) (journal.Lease, error) {
	l, err := in.leaseOf(ctx, r)
	if err != nil {
		return journal.Lease{}, err
	}
	if l.Epoch == 0 && token == "" && r.summary.Lease == "" {
		return journal.Lease{}, nil
	}
	if l.Epoch != 0 && in.opens(token, l) {
		return l, nil
	}
	if in.live != nil && token != "" { // another server may have given it out, or renewed it
		r.lease = held{}
		if l, err = in.leaseOf(ctx, r); err != nil {
			return journal.Lease{}, err
		}
		if l.Epoch != 0 && in.opens(token, l) {
			return l, nil
		}
	}
	if token == "" {
		return journal.Lease{}, contracts.NewProblem(contracts.ProblemLeaseLost, "an engine has claimed the run; send its lease in the header Axiom25-Lease")
	}
	return journal.Lease{}, leaseLost()
}

// leaseOf returns the run's lease, with epoch 0 where nobody holds one. The caller holds the run. Whether a lease has
// expired is for the journal's clock to say, once this server's thinks so.
func (in *Intake) leaseOf(ctx context.Context, r *run) (journal.Lease, error) {
	if r.lease.known && (r.lease.Epoch == 0 || in.clock() < r.lease.Expires) {
		return r.lease.Lease, nil
	}
	l, err := in.journal.LeaseOf(ctx, r.id)
	if errors.Is(err, journal.ErrNotFound) {
		l, err = journal.Lease{}, nil
	}
	if err != nil {
		return journal.Lease{}, fmt.Errorf("lease of run %s: %w", r.id, err)
	}
	r.lease = held{Lease: l, known: true, ttl: in.ttlOf(l)}
	return l, nil
}

// ttlOf is how long a lease of this holder lasts.
func (in *Intake) ttlOf(l journal.Lease) time.Duration {
	if strings.HasPrefix(l.Holder, nodePrefix) {
		return in.nodeTTL
	}
	return in.leaseTTL
}

// take takes the run's lease. The caller holds the run. The error is a *journal.HeldError where somebody has it.
func (in *Intake) take(ctx context.Context, r *run, holder string, ttl time.Duration) (journal.Lease, error) {
	l, err := in.journal.TakeLease(ctx, r.id, holder, ttl)
	if err != nil {
		r.lease = held{}
		return journal.Lease{}, fmt.Errorf("take the lease of run %s: %w", r.id, err)
	}
	r.lease = held{Lease: l, known: true, ttl: ttl}
	return l, nil
}

// drop gives the run's lease back. The caller holds the run.
func (in *Intake) drop(ctx context.Context, r *run) error {
	l := r.lease.Lease
	r.lease = held{}
	if err := in.journal.DropLease(ctx, l); err != nil {
		return fmt.Errorf("drop the lease of run %s: %w", r.id, err)
	}
	r.lease.known = true
	return nil
}

// renewDue renews the lease that an engine has just shown to be alive under, where a third of its time is over. The caller
// holds the run. A failure is left to the next report: the lease still lasts.
func (in *Intake) renewDue(ctx context.Context, r *run) {
	l := r.lease
	if !l.known || l.Epoch == 0 || r.state.Phase().Terminal() || l.Expires.Sub(in.clock()) > l.ttl.Milliseconds()*2/3 {
		return
	}
	_ = in.renew(ctx, r)
}

// renew makes the run's lease last for its time from now. The caller holds the run. The error is lease-lost, or the
// journal's.
func (in *Intake) renew(ctx context.Context, r *run) error {
	l, err := in.journal.RenewLease(ctx, r.lease.Lease, r.lease.ttl)
	if errors.Is(err, journal.ErrLeaseLost) {
		r.lease = held{}
		return leaseLost()
	}
	if err != nil {
		return fmt.Errorf("renew the lease of run %s: %w", r.id, err)
	}
	r.lease.Lease = l
	in.deadlines.set(r.id, in.nextDeadline(r))
	return nil
}

// info is the lease as its holder is told of it.
func (h held) info(token Token) contracts.LeaseInfo {
	holder, _, _ := strings.Cut(h.Holder, digestMark)
	return contracts.LeaseInfo{
		Token: string(token), Epoch: h.Epoch, Holder: holder, ExpiresAt: h.Expires, TTLMS: h.ttl.Milliseconds(),
	}
}

// Hold takes the lease of a run for an engine inside this server. Errors: a *journal.HeldError where somebody has it
// already, run-finished, not-found. The lease lasts Config.NodeTTL unless the Holder of its token renews it.
func (in *Intake) Hold(ctx context.Context, id contracts.RunID) (contracts.LeaseInfo, error) {
	r, err := in.acquireLatest(ctx, id)
	if err != nil {
		return contracts.LeaseInfo{}, err
	}
	defer in.release(r)
	if r.state.Phase().Terminal() {
		return contracts.LeaseInfo{}, runFinished()
	}
	l, err := in.take(ctx, r, in.node, in.nodeTTL)
	if err != nil {
		return contracts.LeaseInfo{}, err
	}
	return r.lease.info(newToken(l.Epoch, in.nodeSecret)), nil
}

// runFinished is the problem of a run to which nothing can be added.
func runFinished() *contracts.Problem {
	return contracts.NewProblem(contracts.ProblemRunFinished, "the run has finished")
}

// Holder is an engine as the door knows it: by the token of its lease, or without one. It is a value without a life of its
// own; making one asks nobody.
type Holder struct {
	in    *Intake
	token Token
}

// As returns the engine that has this token.
func (in *Intake) As(token Token) Holder { return Holder{in: in, token: token} }

// Renew makes the lease last for its time from now. Problems: not-found, lease-lost, run-finished.
func (h Holder) Renew(ctx context.Context, id contracts.RunID) (contracts.LeaseInfo, error) {
	r, err := h.hold(ctx, id)
	if err != nil {
		return contracts.LeaseInfo{}, err
	}
	defer h.in.release(r)
	if err := h.in.renew(ctx, r); err != nil {
		return contracts.LeaseInfo{}, err
	}
	return r.lease.info(h.token), nil
}

// hold acquires a run that the token's lease is for. The caller must release it.
func (h Holder) hold(ctx context.Context, id contracts.RunID) (*run, error) {
	r, err := h.in.acquireLatest(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := h.check(ctx, r); err != nil {
		h.in.release(r)
		return nil, err
	}
	return r, nil
}

// check holds the token against the lease of a run that lives.
func (h Holder) check(ctx context.Context, r *run) error {
	if r.state.Phase().Terminal() {
		return runFinished()
	}
	l, err := h.in.leaseFor(ctx, r, h.token)
	if err == nil && l.Epoch == 0 {
		return contracts.NewProblem(contracts.ProblemLeaseLost, "the request names no lease")
	}
	return err
}

// Release ends the lease. A run of an external engine that has begun and has not ended can be claimed again from then on;
// that another will go on is told by an error event. One that drains ends. Problems: not-found, lease-lost; a run
// that has ended gives nil.
func (h Holder) Release(ctx context.Context, id contracts.RunID) error {
	r, err := h.in.acquireLatest(ctx, id)
	if err != nil {
		return err
	}
	defer h.in.release(r)
	l, err := h.in.leaseFor(ctx, r, h.token)
	if r.state.Phase().Terminal() {
		if err == nil && l.Epoch != 0 {
			return h.in.drop(ctx, r)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if l.Epoch == 0 {
		return contracts.NewProblem(contracts.ProblemLeaseLost, "the request names no lease")
	}
	if r.external() {
		return h.in.reopen(ctx, r, "the engine gave the run back")
	}
	return h.in.drop(ctx, r)
}

// TaskFor is Intake.Task with the whole document for the lease's holder, in Task.Shown. Problems: not-found, and
// lease-lost where the token is of no lease.
func (h Holder) TaskFor(ctx context.Context, id contracts.RunID) (Task, error) {
	if h.token == "" {
		return h.in.Task(ctx, id)
	}
	r, err := h.in.acquireLatest(ctx, id)
	if err != nil {
		return Task{}, err
	}
	defer h.in.release(r)
	if err := h.check(ctx, r); err != nil {
		return Task{}, err
	}
	task := h.in.taskOf(r)
	task.Shown = r.doc
	return task, nil
}

// newSecret returns what only the holder of a lease knows: 128 bits or more.
func newSecret() string { return rand.Text() }
