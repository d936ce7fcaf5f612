package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"golang.org/x/sync/errgroup"

	"axiom25/app"
	"axiom25/web"
	"axiom25/web/build/browser"
)

// wasmPath is where the console's program is served.
const wasmPath = "/web/app.wasm"

// brotliWindow is the base-2 logarithm of the window, the largest of RFC 7932: the whole program fits.
const brotliWindow = 24

// builder writes one console.
type builder struct {
	root    string // the module's directory
	out     string // where the files go
	quality int    // brotli's, for the WebAssembly
	pages   string // a regular expression of the paths of all pages
}

// source is a file before it is written: where it is served, as what, and its content.
type source struct {
	path, file, mediaType string
	content               []byte
}

// build writes every file and returns the manifest of them.
func (b builder) build(ctx context.Context) (web.Manifest, error) {
	if err := os.MkdirAll(b.out, 0o755); err != nil { //nolint:gosec // built files are for everybody to read
		return web.Manifest{}, fmt.Errorf("make the output directory: %w", err)
	}
	wasm, err := b.compile(ctx)
	if err != nil {
		return web.Manifest{}, err
	}
	sources, err := b.gather(ctx, wasm)
	if err != nil {
		return web.Manifest{}, err
	}
	// The version is a digest of what the files would be without one.
	unnamed, err := b.render(sources, "")
	if err != nil {
		return web.Manifest{}, err
	}
	version := digestOf(unnamed)[:12]
	if sources, err = b.render(sources, version); err != nil {
		return web.Manifest{}, err
	}
	m := web.Manifest{Version: version, Assets: make([]web.Asset, len(sources))}
	if m.Go, err = goOutput(ctx, b.root, "env", "GOVERSION"); err != nil {
		return web.Manifest{}, err
	}
	var g errgroup.Group
	for i, s := range sources {
		g.Go(func() (err error) {
			m.Assets[i], err = b.write(s)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return web.Manifest{}, err
	}
	return m, errors.Join(b.writeManifest(m), b.prune(m))
}

// prune removes from the output what an earlier build has left there and this one has not made.
func (b builder) prune(m web.Manifest) error {
	made := map[string]bool{web.ManifestFile: true, "placeholder": true}
	for _, a := range m.Assets {
		for _, form := range []string{"", ".br", ".gz", ".mark"} {
			made[a.File+form] = true
		}
	}
	entries, err := os.ReadDir(b.out)
	if err != nil {
		return fmt.Errorf("read the output directory: %w", err)
	}
	for _, e := range entries {
		if made[e.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(b.out, e.Name())); err != nil {
			return fmt.Errorf("remove what an earlier build has left: %w", err)
		}
	}
	return nil
}

// inlined are the packages whose functions the compiler may inline: those that decode every event and document, and what Go
// itself does for them. In all others, inlining buys little but size, about a tenth of what a reader downloads.
func inlined() []string {
	return []string{
		"runtime/...", "internal/...", "strings", "bytes", "unicode/...", "strconv", "sync/...", "slices",
		"maps", "math", "math/bits", "syscall/...", "crypto/sha256", "crypto/internal/fips140/sha256",
		"github.com/go-json-experiment/...", "axiom25/contracts/...",
	}
}

// compile builds ./wasm and returns the program.
func (b builder) compile(ctx context.Context) ([]byte, error) {
	wasm, _, err := b.link(ctx, "-ldflags=-s -w")
	return wasm, err
}

// link builds ./wasm with these flags of the linker, and returns the program and the packages that it is made of.
func (b builder) link(ctx context.Context, ldflags string) (wasm []byte, packages []string, err error) {
	dir, err := os.MkdirTemp("", "axiom25-console-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what stays is the system's to clean
	build, err := browser.Prepare(ctx, b.root, web.Tag)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, build.Close()) }()
	flags := []string{ldflags, "-gcflags=all=-l"}
	for _, pattern := range inlined() {
		flags = append(flags, "-gcflags="+pattern+"=")
	}
	file := filepath.Join(dir, "app.wasm")
	if err := build.Compile(ctx, "axiom25/wasm", file, flags...); err != nil {
		return nil, nil, err
	}
	if wasm, err = os.ReadFile(file); err != nil { //nolint:gosec // the path is this program's own
		return nil, nil, fmt.Errorf("read the program: %w", err)
	}
	list, err := build.Packages(ctx, "axiom25/wasm")
	for _, p := range list {
		packages = append(packages, p.ImportPath)
	}
	return wasm, packages, err
}

// write writes a file and its compressed forms, but for those that stand there already: a mark beside them says
// what they were made of.
func (b builder) write(s source) (web.Asset, error) {
	a := assetOf(s)
	if strings.HasPrefix(s.mediaType, "image/png") { // compressed as it is
		return a, b.put(s.file, s.content)
	}
	quality := brotli.BestCompression
	if s.path == wasmPath {
		quality = b.quality
	}
	mark := fmt.Sprintf("%s q%d\n", a.Hash, quality)
	if !b.holds(s.file, a.Hash, quality) {
		br, gz, err := compress(s.content, quality)
		if err != nil {
			return a, fmt.Errorf("compress %s: %w", s.file, err)
		}
		// The mark goes first and comes back last, so that an interrupted build is not taken for a finished one.
		err = errors.Join(b.put(s.file+".mark", nil), b.put(s.file, s.content), b.put(s.file+".br", br), b.put(s.file+".gz", gz))
		if err != nil {
			return a, err
		}
		if err := b.put(s.file+".mark", []byte(mark)); err != nil {
			return a, err
		}
	}
	for form, size := range map[string]*int64{".br": &a.Brotli, ".gz": &a.Gzip} {
		info, err := os.Stat(filepath.Join(b.out, s.file+form))
		if err != nil {
			return a, fmt.Errorf("measure %s: %w", s.file+form, err)
		}
		*size = info.Size()
	}
	return a, nil
}

// holds reports whether the output has this content, compressed at this quality or a better one.
func (b builder) holds(file, hash string, quality int) bool {
	mark, err := os.ReadFile(filepath.Join(b.out, file+".mark")) //nolint:gosec // a file of the output that this program writes
	if err != nil {
		return false
	}
	made, text, _ := strings.Cut(strings.TrimSpace(string(mark)), " q")
	had, err := strconv.Atoi(text)
	return err == nil && made == hash && had >= quality
}

// put replaces a file of the output at once, so that who compiles at the same time never embeds half of it.
func (b builder) put(name string, content []byte) error {
	// Beside the directory that is embedded, where a rename is still possible.
	temporary, err := os.CreateTemp(filepath.Dir(b.out), ".console-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, writeErr := temporary.Write(content)
	err = errors.Join(writeErr, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(b.out, name))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

// compress returns content in both forms.
func compress(content []byte, quality int) (br, gz []byte, err error) {
	var brOut, gzOut bytes.Buffer
	var g errgroup.Group
	g.Go(func() error {
		w := brotli.NewWriterOptions(&brOut, brotli.WriterOptions{Quality: quality, LGWin: brotliWindow})
		_, err := w.Write(content)
		return errors.Join(err, w.Close())
	})
	g.Go(func() error {
		w, err := gzip.NewWriterLevel(&gzOut, gzip.BestCompression)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return errors.Join(err, w.Close())
	})
	err = g.Wait()
	return brOut.Bytes(), gzOut.Bytes(), err
}

func (b builder) writeManifest(m web.Manifest) error {
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	return b.put(web.ManifestFile, append(content, '\n'))
}

func assetOf(s source) web.Asset {
	sum := sha256.Sum256(s.content)
	return web.Asset{
		Path: s.path, File: s.file, Type: s.mediaType,
		Hash: hex.EncodeToString(sum[:8]), Size: int64(len(s.content)),
	}
}

// digestOf returns the digest of all files, in hexadecimal.
func digestOf(sources []source) string {
	h := sha256.New()
	for _, s := range sources {
		_, _ = fmt.Fprintf(h, "%s %d\n", s.path, len(s.content)) // a hash never fails
		_, _ = h.Write(s.content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// pagePattern returns one regular expression for the paths of all pages.
func pagePattern() string {
	var alternatives []string
	for _, r := range app.Routes() {
		p := regexp.QuoteMeta(r.Pattern)
		if r.Family() {
			p = strings.TrimSuffix(strings.TrimPrefix(r.Pattern, "^"), "$")
		}
		alternatives = append(alternatives, p)
	}
	return "^(?:" + strings.Join(alternatives, "|") + ")$"
}

// goOutput runs the go command and returns what it prints.
func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are this program's own
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
