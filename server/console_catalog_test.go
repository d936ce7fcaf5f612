package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
)

// importedTool claims a trust that the server does not take from outside.
const importedTool = `{
  "schema_version": 2,
  "name": "look_up",
  "version": "1.0.0",
  "description": "Looks a word up.",
  "input_schema": {"type": "object"},
  "effect": "read",
  "trust": "reviewed",
  "transport": {"type": "http", "url": "https://tools.example/look_up"},
  "auth": {"type": "http_bearer", "secret_ref": "secret://look_up"},
  "redact": ["/word"]
}`

// cells reads the texts of what a selector finds.
func cells(t *testing.T, b browser, selector string) []string {
	t.Helper()
	return eval[[]string](t, b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.textContent)`, selector))
}

// shownTool waits until the page shows a version in detail.
func (b browser) shownTool(t *testing.T, name, version string) {
	t.Helper()
	b.until(t, name+" "+version, fmt.Sprintf(`document.querySelector("#tool")?.textContent === %q &&
		document.querySelector("#tool + .panel-hint").textContent.split(",")[0] === %q`, name, version))
}

// TestTheCatalogIsKeptInTheConsole takes a tool from its import to its end.
func TestTheCatalogIsKeptInTheConsole(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/catalog"))
	b.until(t, "the tools and the engines", `document.querySelector("tr[data-tool]") && document.querySelector("tr[data-engine]")`)

	// The list is the server's.
	var list contracts.ToolList
	s.must(t, http.MethodGet, "/tools", "", &list)
	var names, gates []string
	for _, e := range list.Tools {
		names = append(names, string(e.Spec.Ref()))
		gates = append(gates, map[contracts.Gate]string{contracts.GateAllow: "allowed without a question", contracts.GateAsk: "a human is asked"}[e.Gate])
	}
	got := eval[[]string](t, b, `[...document.querySelectorAll("tr[data-tool] a")].map(a => a.getAttribute("aria-label"))`)
	if len(names) == 0 || !slices.Equal(got, names) {
		t.Errorf("the page lists %v, the server %v", got, names)
	}
	if got := cells(t, b, "tr[data-tool] td:last-child"); !slices.Equal(got, gates) {
		t.Errorf("the page says of the gates %v, the server %v", got, gates)
	}
	var engines contracts.EngineList
	s.must(t, http.MethodGet, "/engines", "", &engines)
	if got := cells(t, b, "tr[data-engine] b"); len(got) != len(engines.Engines) || got[0] != engines.Engines[0].Name {
		t.Errorf("the page lists the engines %v, the server %v", got, engines.Engines)
	}

	// What is wrong shows where it stands, as it is typed; nothing can be sent.
	b.click(t, "button", "Import a tool")
	b.until(t, "an editor", `document.querySelector(".file-drop textarea")`)
	b.typeUntil(t, strings.Replace(importedTool, `"read"`, `"reads"`, 1), "the problem", `document.querySelector(".mark-place")?.textContent === "7:13"`)
	if got := cells(t, b, ".mark-pointer"); !slices.Equal(got, []string{"#/effect"}) {
		t.Errorf("the problem is at %v", got)
	}
	if !eval[bool](t, b, `document.querySelector(".editor-foot .button-primary").disabled`) {
		t.Error("a document with a problem can be sent")
	}

	// An import says beforehand what becomes of its trust, and shows it afterwards.
	b.typeUntil(t, importedTool, "what becomes of the trust", `document.querySelector(".file-drop .panel-words").textContent ===
		"The document says trust reviewed. The server sets it to untrusted when it stores it."`)
	b.click(t, ".editor-foot button", "Save")
	b.shownTool(t, "look_up", "1.0.0")
	b.until(t, "what was stored", `document.querySelector(".title-row [role=status]").textContent === "Stored look_up@1.0.0 with trust untrusted: a human is asked"`)
	if got := cells(t, b, "tr[data-trust]"); len(got) != 4 || !strings.HasPrefix(got[0], "untrusted, as it standsa human is asked") ||
		!strings.HasPrefix(got[1], "reviewedallowed without a question") {
		t.Errorf("the gate is said as %q", got)
	}
	if text := strings.Join(cells(t, b, ".run-side .facts dd"), "\n"); !strings.Contains(text, "secret://look_up") || !strings.Contains(text, "/word") {
		t.Errorf("the facts are\n%s", text)
	}

	// The same version with another content is refused, and one click makes it another version.
	b.click(t, ".panel-tools button", "Edit")
	changed := strings.Replace(importedTool, "Looks a word up.", "Looks two words up.", 1)
	b.typeUntil(t, changed, "a valid document", `document.querySelector(".editor-foot .verdict-line-valid")`)
	b.click(t, ".editor-foot button", "Save")
	b.until(t, "the conflict", `document.querySelector(".file-drop .alert-title")?.textContent === "The tool's version has another content"`)
	b.click(t, "button", "Raise the version to 1.0.1")
	b.until(t, "the next version in the text", fmt.Sprintf(`document.querySelector("textarea").value === %q`, strings.Replace(changed, "1.0.0", "1.0.1", 1)))
	b.click(t, ".editor-foot button", "Save")
	b.shownTool(t, "look_up", "1.0.1")
	if got := cells(t, b, `tr[data-tool=look_up] a`); !slices.Equal(got, []string{"1.0.1 (highest)", "1.0.0"}) {
		t.Errorf("the versions are listed as %q", got)
	}
	var stored contracts.ToolEntry
	s.must(t, http.MethodGet, "/tools/look_up", "", &stored)
	if stored.Spec.Description != "Looks two words up." || stored.Spec.Trust != contracts.TrustUntrusted {
		t.Errorf("the server has %+v", stored.Spec)
	}

	// Deleting takes a second click that names what goes.
	b.do(t, chromedp.Navigate(s.url+"/catalog?tool=look_up@1.0.0"))
	b.shownTool(t, "look_up", "1.0.0")
	b.click(t, ".panel-tools button", "Delete")
	b.click(t, "button", "Delete look_up@1.0.0")
	b.until(t, "the list without it", `[...document.querySelectorAll("tr[data-tool=look_up] a")].map(a => a.textContent).join() === "1.0.1" && location.search === ""`)
	if r := s.send(t, http.MethodGet, "/tools/look_up?version=1.0.0", ""); r.status != http.StatusNotFound {
		t.Errorf("the deleted version answers with status %d", r.status)
	}

	// Without the server the catalogue stays, and says of when it is; what cannot be saved stays too.
	s.kill(t)
	b.click(t, "button", "Import a tool")
	b.typeUntil(t, importedTool, "a valid document", `document.querySelector(".editor-foot .verdict-line-valid")`)
	b.click(t, ".editor-foot button", "Save")
	b.until(t, "that the server is away", `document.querySelector(".file-drop .alert-title")?.textContent === "The server cannot be reached"`)
	b.until(t, "of when the catalogue is", `document.querySelector(".banner")?.textContent.includes("This is the catalogue as of")`)
	if text := eval[string](t, b, `document.querySelector("textarea").value`); text != importedTool || len(cells(t, b, "tr[data-tool]")) != len(names)+1 {
		t.Errorf("what was there is gone: %q", text)
	}
}
