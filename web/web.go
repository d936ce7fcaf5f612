// Package web holds the console's built files: the compiled WebAssembly, its styles, loader, service worker and
// icons, each with its compressed forms. `go run ./web/build` writes them to dist; a fresh clone compiles
// without them, and Load then returns ErrNotBuilt.
package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// ErrNotBuilt says that dist holds nothing but its placeholder.
var ErrNotBuilt = errors.New("the console is not built: run make")

// ManifestFile is the file of dist that lists the others.
const ManifestFile = "assets.json"

// ShellPath is the path of the shell: the one document that every page begins as.
const ShellPath = "/"

// MaxStyles is how large the styles may become, in bytes, as they are shipped: without comments and white space.
const MaxStyles = 36_000

// Manifest lists the built files.
type Manifest struct {
	// Version is a digest over the content of every file: two builds with equal files have the same one.
	Version string `json:"version"`
	// Go is the version of the compiler that built the WebAssembly.
	Go string `json:"go"`
	// Assets are the files, ordered by path.
	Assets []Asset `json:"assets"`
}

// Asset is one built file and where it is served.
type Asset struct {
	// Path is the path of its URL.
	Path string `json:"path"`
	// File is its name in dist; the compressed forms have .br and .gz behind it.
	File string `json:"file"`
	// Type is its media type.
	Type string `json:"type"`
	// Hash is the first 16 hexadecimal digits of its SHA-256.
	Hash string `json:"hash"`
	// Size, Brotli and Gzip are the sizes in bytes, as it is and compressed; 0 where it is not compressed.
	Size   int64 `json:"size"`
	Brotli int64 `json:"brotli,omitempty"`
	Gzip   int64 `json:"gzip,omitempty"`
}

// URL is the address of the file: with its content as a part of it, under which it may be cached for ever, but for the shell.
func (a Asset) URL() string {
	if a.Path == ShellPath {
		return a.Path
	}
	return a.Path + "?v=" + a.Hash
}

// Asset returns the file that is served at path.
func (m Manifest) Asset(path string) (Asset, bool) {
	for _, a := range m.Assets {
		if a.Path == path {
			return a, true
		}
	}
	return Asset{}, false
}

// Load returns the embedded files and the manifest that lists them, or an error that wraps ErrNotBuilt.
func Load() (fs.FS, Manifest, error) {
	files, err := fs.Sub(built, Folder)
	if err != nil {
		return nil, Manifest{}, fmt.Errorf("open the built files: %w", err)
	}
	m, err := ReadManifest(files)
	return files, m, err
}

// ReadManifest reads the manifest of a built console. Where there is none the error wraps ErrNotBuilt.
func ReadManifest(files fs.FS) (Manifest, error) {
	b, err := fs.ReadFile(files, ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, ErrNotBuilt
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read the console's manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("read the console's manifest: %w", err)
	}
	return m, nil
}
