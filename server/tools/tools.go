// Package tools is the server's tool catalogue: which tools there are, which version a reference names, and
// how the builtin ones are carried out.
//
// What it guarantees: content that can be read never changes under one version; a builtin tool cannot be set, shadowed or
// removed from outside; a builtin call ends at its tool's timeout, and a defect in it ends the call alone.
package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Builtin is a tool that this server's own code carries out.
type Builtin interface {
	// Spec describes the tool: transport and trust builtin.
	Spec() *contracts.ToolSpec
	// Call carries one call out. args were checked against the input schema; inputs are the task's own, sensitive
	// ones included. The context ends at the tool's timeout. An error says what is wrong with the call, for the
	// engine and the viewer to read: it names rules and places, never data.
	Call(ctx context.Context, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error)
}

// Catalogue is the set of tools: the builtin ones and those in the journal. It implements
// contracts.Catalogue. Its methods may be called from any number of goroutines.
type Catalogue struct {
	// KeepTrust stores tools with the trust that the document claims instead of untrusted. It is set, where the
	// operator wants it, before the catalogue is shared.
	KeepTrust bool

	journal  journal.Journal
	log      *slog.Logger
	builtins map[contracts.ToolRef]*builtin
	reserved map[string]bool // the names of the builtin tools

	broken  map[contracts.ToolRef]bool // stored tools that break their contract; guarded by writing
	writing sync.Mutex                 // held over a write to the journal and the change of byName that follows
	mu      sync.RWMutex
	byName  map[string][]contracts.ToolEntry // each the highest version first; slices are replaced, never changed
}

var _ contracts.Catalogue = (*Catalogue)(nil)

// Open reads the catalogue from the journal and adds the builtin tools. A stored tool that breaks its contract is named in
// the log and left out; the journal keeps it until it is put again or deleted.
func Open(ctx context.Context, j journal.Journal, log *slog.Logger, builtins ...Builtin) (*Catalogue, error) {
	c := &Catalogue{
		journal:  j,
		log:      log,
		builtins: make(map[contracts.ToolRef]*builtin, len(builtins)),
		reserved: make(map[string]bool, len(builtins)),
		byName:   map[string][]contracts.ToolEntry{},
	}
	for _, b := range builtins {
		if err := c.addBuiltin(b); err != nil {
			return nil, err
		}
	}
	return c, c.read(ctx)
}

// read takes what the journal holds in place of what the catalogue had from it.
func (c *Catalogue) read(ctx context.Context) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	stored, err := c.journal.Tools(ctx)
	if err != nil {
		return fmt.Errorf("read the tool catalogue: %w", err)
	}
	byName, broken := map[string][]contracts.ToolEntry{}, map[contracts.ToolRef]bool{}
	for _, t := range stored {
		if c.reserved[t.Name] { // a builtin tool that is newer than the stored one
			continue
		}
		spec, err := contracts.Decode[contracts.ToolSpec](t.Spec)
		if err != nil {
			ref := contracts.ToolRef(t.Name + "@" + t.Version)
			broken[ref] = true
			if !c.broken[ref] {
				c.log.LogAttrs(ctx, slog.LevelError, "a stored tool breaks its contract and is left out; put it again or delete it",
					slog.String("tool", string(ref)), slog.String("error", err.Error()))
			}
			continue
		}
		byName[t.Name] = with(byName[t.Name], contracts.ToolEntry{Spec: *spec, Digest: t.Digest, Gate: spec.Gate()})
	}
	c.broken = broken
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.reserved {
		byName[name] = c.byName[name]
	}
	c.byName = byName
	return nil
}

// readAgain is how long after a failure the catalogue is read again.
const readAgain = time.Second

// Run keeps the catalogue up with what other servers change in a journal that they share, until ctx ends. It returns the
// context's error, or that of a journal that cannot be watched. Where there are no others it only waits.
func (c *Catalogue) Run(ctx context.Context) error {
	live, ok := c.journal.(journal.Live)
	if !ok {
		<-ctx.Done()
		return ctx.Err()
	}
	bell := make(chan struct{}, 1)
	ring := func() {
		select {
		case bell <- struct{}{}:
		default: // it rings already
		}
	}
	stop, err := live.WatchTools(ctx, ring)
	if err != nil {
		return fmt.Errorf("watch the tool catalogue: %w", err)
	}
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bell:
		}
		if c.read(ctx) == nil {
			continue
		}
		// What it had goes on to be served; a journal that cannot be read shows in /readyz.
		time.AfterFunc(readAgain, ring)
	}
}

// addBuiltin makes a builtin tool part of the catalogue, with its input schema compiled.
func (c *Catalogue) addBuiltin(b Builtin) error {
	spec := b.Spec()
	entry, err := entryOf(spec)
	if err != nil {
		return fmt.Errorf("builtin tool %s: %w", spec.Ref(), err)
	}
	compiled, err := compileBuiltin(b)
	if err != nil {
		return fmt.Errorf("builtin tool %s: %w", spec.Ref(), err)
	}
	c.builtins[spec.Ref()] = compiled
	c.reserved[spec.Name] = true
	c.add(entry)
	return nil
}

// Tool implements contracts.Catalogue. The definition is shared and must not be changed.
func (c *Catalogue) Tool(ref contracts.ToolRef) (*contracts.ToolSpec, bool) {
	entry, ok := c.find(ref)
	if !ok {
		return nil, false
	}
	return &entry.Spec, true
}

// Entry returns what ref names with its digest and gate.
func (c *Catalogue) Entry(ref contracts.ToolRef) (contracts.ToolEntry, bool) {
	entry, ok := c.find(ref)
	if !ok {
		return contracts.ToolEntry{}, false
	}
	return *entry, true
}

// find returns the entry that ref names, the highest version where ref has none.
func (c *Catalogue) find(ref contracts.ToolRef) (*contracts.ToolEntry, bool) {
	name, version := ref.Split()
	c.mu.RLock()
	defer c.mu.RUnlock()
	versions := c.byName[name]
	if version == "" && len(versions) > 0 {
		return &versions[0], true
	}
	for i := range versions {
		if versions[i].Spec.Version == version {
			return &versions[i], true
		}
	}
	return nil, false
}

// Builtin returns the code behind a builtin tool.
func (c *Catalogue) Builtin(ref contracts.ToolRef) (Builtin, bool) {
	b, ok := c.builtin(ref)
	if !ok {
		return nil, false
	}
	return b.Builtin, true
}

func (c *Catalogue) builtin(ref contracts.ToolRef) (*builtin, bool) {
	spec, ok := c.Tool(ref)
	if !ok {
		return nil, false
	}
	b, ok := c.builtins[spec.Ref()]
	return b, ok
}

// List returns every version of every tool, ordered by name and then by version, the highest first.
func (c *Catalogue) List() []contracts.ToolEntry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	list := []contracts.ToolEntry{}
	for _, versions := range c.byName {
		list = append(list, versions...)
	}
	slices.SortFunc(list, func(a, b contracts.ToolEntry) int {
		return cmp.Or(cmp.Compare(a.Spec.Name, b.Spec.Name), CompareVersions(b.Spec.Version, a.Spec.Version))
	})
	return list
}

// Put stores a tool, forced to trust untrusted unless KeepTrust. Storing the same content again changes
// nothing, and what breaks its contract in the journal is replaced. The error is a *contracts.Problem where the tool
// is at fault: tool-version-conflict, or invalid-document for a builtin and for one that is not valid with the trust
// that it gets; the journal's errors are passed on wrapped.
func (c *Catalogue) Put(ctx context.Context, spec *contracts.ToolSpec) (contracts.ToolEntry, error) {
	if p := c.claimsBuiltin(spec); p != nil {
		return contracts.ToolEntry{}, p
	}
	stored := *spec
	if !c.KeepTrust {
		stored.Trust = contracts.TrustUntrusted
	}
	entry, err := entryOf(&stored)
	if err != nil {
		return contracts.ToolEntry{}, fmt.Errorf("put tool %s: %w", spec.Ref(), err)
	}
	doc, err := contracts.Encode(&stored)
	if err != nil {
		return contracts.ToolEntry{}, fmt.Errorf("put tool %s: %w", spec.Ref(), err)
	}

	// What was valid with the trust that it claims need not be with the one that it has: a tool that is untrusted has to ask.
	if err := contracts.Validate(contracts.KindToolSpec, doc); err != nil {
		return contracts.ToolEntry{}, err
	}

	c.writing.Lock()
	defer c.writing.Unlock()
	if ref := stored.Ref(); c.broken[ref] {
		if err := c.journal.DeleteTool(ctx, stored.Name, stored.Version); err != nil && !errors.Is(err, journal.ErrNotFound) {
			return contracts.ToolEntry{}, fmt.Errorf("replace tool %s: %w", ref, err)
		}
		delete(c.broken, ref)
	}
	err = c.journal.PutTool(ctx, journal.Tool{Name: stored.Name, Version: stored.Version, Spec: doc, Digest: entry.Digest})
	if conflict := (*journal.ToolConflictError)(nil); errors.As(err, &conflict) {
		return contracts.ToolEntry{}, contracts.NewProblem(contracts.ProblemToolVersionConflict,
			"this version is in the catalogue with another content; raise the version")
	}
	if err != nil {
		return contracts.ToolEntry{}, fmt.Errorf("put tool %s: %w", spec.Ref(), err)
	}
	c.add(entry)
	return entry, nil
}

// Delete removes a version (name@version) or every version (name). Runs that were created before
// have its calls denied, and those that are open end as errors. The error is a *contracts.Problem: not-found, or forbidden for a builtin; the
// journal's errors are passed on wrapped.
func (c *Catalogue) Delete(ctx context.Context, ref contracts.ToolRef) error {
	name, version := ref.Split()
	if c.reserved[name] {
		return contracts.NewProblem(contracts.ProblemForbidden, "a builtin tool is part of this server and cannot be deleted")
	}

	c.writing.Lock()
	defer c.writing.Unlock()
	err := c.journal.DeleteTool(ctx, name, version)
	if errors.Is(err, journal.ErrNotFound) {
		return contracts.NewProblem(contracts.ProblemNotFound, "there is no such tool")
	}
	if err != nil {
		return fmt.Errorf("delete tool %s: %w", ref, err)
	}
	c.remove(name, version)
	return nil
}

// claimsBuiltin returns what is wrong with a tool from outside that says it is builtin, or that takes a
// builtin tool's name and would so answer to its bare reference.
func (c *Catalogue) claimsBuiltin(spec *contracts.ToolSpec) *contracts.Problem {
	var found []contracts.FieldError
	refuse := func(pointer string) {
		found = append(found, contracts.FieldError{Pointer: pointer, Code: contracts.CodeToolReserved})
	}
	if c.reserved[spec.Name] {
		refuse("#/name")
	}
	if spec.Transport.Type == contracts.TransportBuiltin {
		refuse("#/transport/type")
	}
	if spec.Trust == contracts.TrustBuiltin {
		refuse("#/trust")
	}
	return contracts.DocumentProblem(contracts.ProblemInvalidDocument, "ToolSpec", found...)
}

// add puts an entry in its place, in place of the same version.
func (c *Catalogue) add(entry contracts.ToolEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byName[entry.Spec.Name] = with(c.byName[entry.Spec.Name], entry)
}

// with returns a copy of versions with an entry in its place.
func with(versions []contracts.ToolEntry, entry contracts.ToolEntry) []contracts.ToolEntry {
	versions = append(without(versions, entry.Spec.Version), entry)
	slices.SortFunc(versions, func(a, b contracts.ToolEntry) int { return CompareVersions(b.Spec.Version, a.Spec.Version) })
	return versions
}

// remove takes a version away, or all of a tool's where version is empty.
func (c *Catalogue) remove(name, version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := without(c.byName[name], version)
	if version == "" || len(left) == 0 {
		delete(c.byName, name)
		return
	}
	c.byName[name] = left
}

// without returns a copy of versions in which one version is missing.
func without(versions []contracts.ToolEntry, version string) []contracts.ToolEntry {
	left := make([]contracts.ToolEntry, 0, len(versions)+1)
	for _, e := range versions {
		if e.Spec.Version != version {
			left = append(left, e)
		}
	}
	return left
}

// entryOf returns the catalogue's entry for a definition.
func entryOf(spec *contracts.ToolSpec) (contracts.ToolEntry, error) {
	doc, err := contracts.Encode(spec)
	if err != nil {
		return contracts.ToolEntry{}, err
	}
	digest, err := contracts.DigestJSON(doc)
	if err != nil {
		return contracts.ToolEntry{}, err
	}
	return contracts.ToolEntry{Spec: *spec, Digest: digest, Gate: spec.Gate()}, nil
}

// CompareVersions orders semantic versions by precedence (SemVer 2.0.0, section 11), and versions of equal
// precedence, which differ in build metadata alone, as text, so that the order is total.
func CompareVersions(a, b string) int {
	return cmp.Or(semver.Compare("v"+a, "v"+b), cmp.Compare(a, b))
}
