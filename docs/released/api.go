package released

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CheckAPI compares the OpenAPI document below root with the last released one by oasdiff, a program at the path tool. A
// document that was never released, and one of a version that is being made, promise nothing. The error wraps ErrBroken
// and holds what the program says.
func CheckAPI(ctx context.Context, root, tool string, current int) error {
	at := filepath.Join(root, filepath.FromSlash(folder))
	was, err := os.ReadFile(filepath.Join(at, openAPI)) //nolint:gosec // a copy beside this package
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	locked, err := readLock(os.DirFS(at))
	if err != nil {
		return err
	}
	promised := false
	for e := range locked {
		promised = promised || e.version == current
	}
	if !promised {
		return nil
	}
	is, err := os.ReadFile(filepath.Join(root, "docs", "api", openAPI)) //nolint:gosec // a generated file
	if err != nil {
		return err
	}
	return compareAPI(ctx, tool, was, is)
}

// compareAPI runs oasdiff, which reads files.
func compareAPI(ctx context.Context, tool string, was, is []byte) error {
	dir, err := os.MkdirTemp("", "axiom25-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system removes what is left in its folder for such things
	args := []string{"breaking", "--fail-on", "WARN", "--format", "singleline"}
	for name, document := range map[string][]byte{"released.json": was, "generated.json": is} {
		if document, err = alone(document); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), document, 0o600); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, tool, append(args, "released.json", "generated.json")...) //nolint:gosec // the caller's own tool
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed) && failed.ExitCode() == 1:
		return fmt.Errorf("%w: %s:\n%s", ErrBroken, openAPI, bytes.TrimSpace(said))
	}
	return fmt.Errorf("oasdiff: %w: %s", err, bytes.TrimSpace(said))
}

// alone returns a document as oasdiff can judge it: without references that it would fetch, and without the events, to
// which a type may be added. Those Check compares, and all other contracts once more.
func alone(document []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil {
		return nil, err
	}
	components, _ := root["components"].(map[string]any)
	if schemas, ok := components["schemas"].(map[string]any); ok {
		schemas["RunEvent"] = map[string]any{}
	}
	detach(root)
	return json.Marshal(root)
}

// detach takes references out of a value that lead elsewhere.
func detach(v any) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
			delete(v, "$ref")
		}
		for _, member := range v {
			detach(member)
		}
	case []any:
		for _, elem := range v {
			detach(elem)
		}
	}
}
