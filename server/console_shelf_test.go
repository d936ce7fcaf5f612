package main_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// testPage runs the tests of a package that were compiled to WebAssembly, with the arguments of its address, and keeps what
// they print in window.output and how they ended in window.code.
const testPage = `<!doctype html><meta charset="utf-8"><title>tests</title><script src="/wasm_exec.js"></script><script>
	window.output = "";
	const lines = console.log;
	console.log = (...args) => { output += args.join(" ") + "\n"; lines(...args); };
	const go = new Go();
	go.argv = ["test", ...new URLSearchParams(location.search).getAll("arg")];
	go.env = Object.fromEntries(new URLSearchParams(location.search).getAll("env").map(e => e.split("=")));
	go.exit = (code) => { window.code = code; };
	WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject).then(({instance}) => go.run(instance)).catch(
		(err) => { output += err.stack; window.code = -1; });
</script>`

// inBrowser compiles the tests of a package and returns the address of a page that runs them.
func inBrowser(t *testing.T, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", file, pkg) //nolint:gosec // the test's own arguments
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(testPage)) })
	mux.HandleFunc("/test.wasm", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestConsoleShelf runs the tests of app/shelf where its shelf is: in a browser, also in one that is short of space.
func TestConsoleShelf(t *testing.T) {
	t.Parallel()
	address := inBrowser(t, "axiom25/app/shelf")
	b := newBrowser(t)
	b.do(t, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		quota := float64(32 << 20) // bytes; Chromium keeps some of them to itself
		_, err := chromedp.Call(ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: address, QuotaSize: &quota})
		return err
	}))
	b.do(t, chromedp.Navigate(address+"/?arg=-test.v&env=SMALL_QUOTA%3Dyes"))
	b.until(t, "the end of the tests", "window.code !== undefined")
	output := eval[string](t, b, "output")
	if code := eval[int](t, b, "code"); code != 0 {
		t.Fatalf("the tests ended with %d:\n%s", code, output)
	}
	for _, name := range []string{"TestMemory", "TestIndexedDB", "TestTabs", "TestNoStorage", "TestBrowserIsTheConsolesShelf", "TestQuota"} {
		if !strings.Contains(output, "--- PASS: "+name) {
			t.Errorf("%s did not run:\n%s", name, output)
		}
	}
}
