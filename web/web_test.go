package web_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"axiom25/web"
)

func TestReadManifest(t *testing.T) {
	t.Parallel()
	if _, err := web.ReadManifest(fstest.MapFS{"placeholder": {}}); !errors.Is(err, web.ErrNotBuilt) {
		t.Errorf("nothing but a placeholder gives %v", err)
	}
	if _, err := web.ReadManifest(fstest.MapFS{web.ManifestFile: {Data: []byte("{")}}); err == nil || errors.Is(err, web.ErrNotBuilt) {
		t.Errorf("a damaged manifest gives %v", err)
	}
	m, err := web.ReadManifest(fstest.MapFS{web.ManifestFile: {Data: []byte(`{"version":"v","assets":[{"path":"/a","hash":"h"}]}`)}})
	if err != nil || m.Version != "v" {
		t.Fatalf("%+v, %v", m, err)
	}
	if url := (web.Asset{Path: web.ShellPath, Hash: "h"}).URL(); url != "/" {
		t.Errorf("the shell is at %s", url)
	}
	if a, ok := m.Asset("/a"); !ok || a.URL() != "/a?v=h" {
		t.Errorf("%+v, %v", a, ok)
	}
	if _, ok := m.Asset("/b"); ok {
		t.Error("found what is not there")
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	files, m, err := web.Load()
	if errors.Is(err, web.ErrNotBuilt) {
		t.Skip("the console is not built")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.Assets {
		if f, err := files.Open(a.File); err != nil {
			t.Error(err)
		} else if info, err := f.Stat(); err != nil || info.Size() != a.Size {
			t.Errorf("%s: %v, %v; want %d bytes", a.File, info, err, a.Size)
		}
	}
}

func TestStyles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"tokens.css", "console.css"} {
		css, err := os.ReadFile(name) //nolint:gosec // the package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, forbidden := range []string{"http:", "https:", "@import", "url("} {
			if strings.Contains(string(css), forbidden) {
				t.Errorf("%s has %s: nothing comes from elsewhere", name, forbidden)
			}
		}
		if name == "console.css" && strings.Contains(strings.ReplaceAll(string(css), "#app-wasm-loader", ""), "#") {
			t.Errorf("%s names a colour: colours are tokens", name)
		}
	}
}

// TestStylesAreSmall holds what a reader downloads to its limit, as the build does: without comments and white space.
func TestStylesAreSmall(t *testing.T) {
	t.Parallel()
	_, m, err := web.Load()
	if errors.Is(err, web.ErrNotBuilt) {
		t.Skip("the console is not built")
	}
	if err != nil {
		t.Fatal(err)
	}
	if css, ok := m.Asset("/app.css"); !ok || css.Size > web.MaxStyles {
		t.Errorf("the styles have %d bytes, more than %d", css.Size, web.MaxStyles)
	}
}
