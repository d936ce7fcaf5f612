// Package reference makes the files that are generated from the contracts: docs/schemas, a JSON Schema for each contract
// in each version that is read, and docs/contracts, a page for each contract. Whatever they say comes from the structs, their tags and comments and
// from the tables of rules; the same source makes the same bytes.
package reference

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/server/apidoc"
)

// ErrStale is what Check returns where a file is not what would be written.
var ErrStale = errors.New("out of date, run make gen")

// Files returns the generated files by their paths below root, the repository, whose source it reads.
func Files(root string) (map[string][]byte, error) {
	src, err := readSource(filepath.Join(root, "contracts"))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, kind := range contracts.Kinds() {
		for _, version := range contracts.SchemaVersions(kind) {
			said, err := src.frozen(root, version)
			if err != nil {
				return nil, err
			}
			schema, err := contracts.DescribedSchemaIn(kind, version, said.plain)
			if err != nil {
				return nil, err
			}
			files["docs"+contracts.SchemaPathIn(kind, version)] = schema
		}
		page, err := pageOf(kind, src)
		if err != nil {
			return nil, err
		}
		files["docs/contracts/"+string(kind)+"_schema.md"] = page
	}
	if files["docs/api/openapi.json"], err = apidoc.OpenAPI(src.plain); err != nil {
		return nil, err
	}
	if files["docs/api/asyncapi.json"], err = apidoc.AsyncAPI(src.plain); err != nil {
		return nil, err
	}
	return files, nil
}

// Write writes the files below root.
func Write(root string) error {
	files, err := Files(root)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // pages that everyone may read
			return err
		}
		if err := os.WriteFile(at, files[path], 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}

// Check compares the files below root with what Write would write. The error wraps ErrStale and names the files that
// differ or are missing.
func Check(root string) error {
	files, err := Files(root)
	if err != nil {
		return err
	}
	var stale []string
	for _, path := range slices.Sorted(maps.Keys(files)) {
		stored, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path))) //nolint:gosec // one of the files of this package
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !bytes.Equal(stored, files[path]) {
			stale = append(stale, path)
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("%w: %s", ErrStale, strings.Join(stale, ", "))
	}
	return nil
}
