// Package released holds what was promised: a copy of each JSON Schema as it was last released, with a lock of their
// digests, and of the OpenAPI document. Check holds the contracts to it; Release makes a promise. Nothing else writes
// here.
package released

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/docs/schemadiff"
)

var (
	// ErrBroken is what Check and Release return where a released contract has changed in a way that needs a new version.
	ErrBroken = errors.New("a released contract has changed: this needs a new version")
	// ErrUnreleased is what Check returns where a released contract has gained what needs no new version.
	ErrUnreleased = errors.New("a released contract has gained something: run make release")
	// ErrTampered is what Check and Release return where a copy is not what was released.
	ErrTampered = errors.New("what was released is not what the lock says")
)

// folder is where the copies stand below the repository's root, and lockFile their digests.
const (
	folder   = "docs/released"
	lockFile = "schemas.lock"
	// openAPI is generated into docs/api, and copied when released.
	openAPI = "openapi.json"
)

// edition is a contract in a version.
type edition struct {
	kind    contracts.Kind
	version int
}

// String names it as problems do.
func (e edition) String() string { return fmt.Sprintf("%s/v%d", e.kind, e.version) }

// file is where the copy is.
func (e edition) file() string { return fmt.Sprintf("v%d/%s.json", e.version, e.kind) }

// Source returns the schema of a contract in a version, or an error that is contracts.ErrUnknownKind where there is
// none: contracts.JSONSchemaIn, but for tests.
type Source func(kind contracts.Kind, version int) ([]byte, error)

// Check holds the schemas that source has to the released ones below root. The error wraps ErrBroken, ErrUnreleased or
// ErrTampered and names each contract, place and kind of change.
func Check(root string, source Source) error {
	files := os.DirFS(filepath.Join(root, filepath.FromSlash(folder)))
	locked, err := readLock(files)
	if err != nil {
		return err
	}
	if err := intact(files, locked); err != nil {
		return err
	}
	broken, gained, err := compare(files, locked, source)
	if err != nil {
		return err
	}
	return errors.Join(listed(ErrBroken, broken), listed(ErrUnreleased, gained))
}

// Release promises the current version as source has it: it copies the schemas, and the OpenAPI document where there is
// one, and locks them. It returns what they have gained since the last release. It refuses, with the errors of Check, what
// needs a new version, and never touches what an older version promised.
func Release(root string, source Source) (gained []string, err error) {
	at := filepath.Join(root, filepath.FromSlash(folder))
	files := os.DirFS(at)
	locked, err := readLock(files)
	if err != nil {
		return nil, err
	}
	if err := intact(files, locked); err != nil {
		return nil, err
	}
	broken, gained, err := compare(files, locked, source)
	if err := errors.Join(err, listed(ErrBroken, broken)); err != nil {
		return nil, err
	}
	for _, e := range editions(source) {
		if _, released := locked[e]; released && e.version != contracts.Version {
			continue
		}
		schema, err := source(e.kind, e.version)
		if err != nil {
			return nil, err
		}
		if locked[e], err = contracts.DigestJSON(schema); err != nil {
			return nil, err
		}
		if err := write(filepath.Join(at, filepath.FromSlash(e.file())), schema); err != nil {
			return nil, err
		}
	}
	document, err := os.ReadFile(filepath.Join(root, "docs", "api", openAPI)) //nolint:gosec // a generated file
	if err == nil {
		err = write(filepath.Join(at, openAPI), document)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return gained, write(filepath.Join(at, lockFile), lockOf(locked))
}

// write writes a file that everyone may read.
func write(at string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	return os.WriteFile(at, content, 0o644) //nolint:gosec // as above
}

// listed is an error with a line for each item; nil where there is none.
func listed(is error, items []string) error {
	if len(items) == 0 {
		return nil
	}
	return fmt.Errorf("%w:\n  %s", is, strings.Join(items, "\n  "))
}

// lockOf writes a lock: a line with version, contract and digest for each schema.
func lockOf(locked map[edition]contracts.Digest) []byte {
	var lines []string
	for e, digest := range locked {
		lines = append(lines, fmt.Sprintf("v%d %s %s\n", e.version, e.kind, digest))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}

// readLock reads the lock; one that is missing locks nothing.
func readLock(files fs.FS) (map[edition]contracts.Digest, error) {
	content, err := fs.ReadFile(files, lockFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	locked := make(map[edition]contracts.Digest)
	for line := range bytes.Lines(content) {
		var e edition
		var digest contracts.Digest
		if _, err := fmt.Sscanf(string(line), "v%d %s %s\n", &e.version, &e.kind, &digest); err != nil {
			return nil, fmt.Errorf("%w: the line %q", ErrTampered, line)
		}
		locked[e] = digest
	}
	return locked, nil
}

// intact holds the copies to the lock.
func intact(files fs.FS, locked map[edition]contracts.Digest) error {
	var wrong []string
	for e, digest := range locked {
		schema, err := fs.ReadFile(files, e.file())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if is, err := contracts.DigestJSON(schema); err != nil || is != digest {
			wrong = append(wrong, e.file())
		}
	}
	copies, err := fs.Glob(files, "v*/*.json")
	if err != nil {
		return err
	}
	for _, file := range copies {
		known := func(e edition) bool { return e.file() == file }
		if !slices.ContainsFunc(slices.Collect(keys(locked)), known) {
			wrong = append(wrong, path.Clean(file)+", which is not locked")
		}
	}
	slices.Sort(wrong)
	return listed(ErrTampered, wrong)
}

// keys yields what is locked.
func keys(locked map[edition]contracts.Digest) func(yield func(edition) bool) {
	return func(yield func(edition) bool) {
		for e := range locked {
			if !yield(e) {
				return
			}
		}
	}
}

// editions returns the schemas that source has: those of the current version and of the one before.
func editions(source Source) []edition {
	var list []edition
	for version := contracts.Version - 1; version <= contracts.Version; version++ {
		for _, kind := range contracts.Kinds() {
			if _, err := source(kind, version); err == nil {
				list = append(list, edition{kind, version})
			}
		}
	}
	return list
}

// compare classifies the differences between what source has and what was released. A version of which nothing is
// released is being made, and may change as it likes.
func compare(files fs.FS, locked map[edition]contracts.Digest, source Source) (broken, gained []string, err error) {
	versions := make(map[int]bool)
	for e := range locked {
		versions[e.version] = true
	}
	list := editions(source)
	for e := range locked {
		// Events have no frozen structs: those of an older version are lifted.
		must := e.version == contracts.Version || e.version == contracts.Version-1 && e.kind != contracts.KindRunEvent
		if must && !slices.Contains(list, e) {
			broken = append(broken, e.String()+": the contract is gone")
		}
	}
	for _, e := range list {
		if !versions[e.version] {
			continue
		}
		if _, ok := locked[e]; !ok {
			broken = append(broken, e.String()+": a contract that the released version did not have")
			continue
		}
		was, err := fs.ReadFile(files, e.file())
		if err != nil {
			return nil, nil, err
		}
		is, err := source(e.kind, e.version)
		if err != nil {
			return nil, nil, err
		}
		lost, more, err := classify(e, was, is)
		if err != nil {
			return nil, nil, err
		}
		broken, gained = append(broken, lost...), append(gained, more...)
	}
	slices.Sort(broken)
	return broken, gained, nil
}

// classify returns the differences of one contract. Of an older version none is allowed; of the current one none that
// the comparison does not know, either.
func classify(e edition, was, is []byte) (broken, gained []string, err error) {
	before, err := contracts.DigestJSON(was)
	if err != nil {
		return nil, nil, err
	}
	after, err := contracts.DigestJSON(is)
	if err != nil || before == after {
		return nil, nil, err
	}
	changes, err := schemadiff.Compare(was, is)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range changes {
		line := e.String() + " " + c.String()
		if e.version != contracts.Version || c.Kind.NeedsVersion() {
			broken = append(broken, line)
		} else {
			gained = append(gained, line)
		}
	}
	if len(changes) == 0 {
		// Such as a struct's name, or the order of an enum: nobody's document changes, but what is locked does not.
		line := e.String() + " #: written otherwise, and means the same"
		if e.version != contracts.Version {
			return []string{line}, nil, nil
		}
		gained = append(gained, line)
	}
	return broken, gained, nil
}
