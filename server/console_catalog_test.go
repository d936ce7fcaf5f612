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
	b.until(t, "an editor", `document.querySelector(".editor-area")`)
	b.typeUntil(t, strings.Replace(importedTool, `"read"`, `"reads"`, 1), "the problem", `document.querySelector(".mark-place")?.textContent === "7:13"`)
	if got := cells(t, b, ".mark-pointer"); !slices.Equal(got, []string{"#/effect"}) {
		t.Errorf("the problem is at %v", got)
	}
	if !eval[bool](t, b, `document.querySelector(".editor-foot .button-primary").disabled`) {
		t.Error("a document with a problem can be sent")
	}

	// An import says beforehand what becomes of its trust, and shows it afterwards.
	b.typeUntil(t, importedTool, "what becomes of the trust", `document.querySelector(".composer-foot .editor-foot .quiet").textContent ===
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
	b.until(t, "the next version in the text", fmt.Sprintf(`document.querySelector(".editor-area").value === %q`, strings.Replace(changed, "1.0.0", "1.0.1", 1)))
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
	if text := eval[string](t, b, `document.querySelector(".editor-area").value`); text != importedTool || len(cells(t, b, "tr[data-tool]")) != len(names)+1 {
		t.Errorf("what was there is gone: %q", text)
	}
}

// at reads a value of the text in the editor; undefined is nothing.
func at(path string) string { return "JSON.parse(document.querySelector('.editor-area').value)" + path }

// TestConsoleToolSpecIsAForm makes a tool field by field, and gets what is wrong at its field and its line.
func TestConsoleToolSpecIsAForm(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/catalog"))
	b.until(t, "the tools", `document.querySelector("tr[data-tool]")`)
	b.click(t, "button", "Import a tool")
	for _, row := range [][4]string{
		{"field%2Fname", "spell", ".name", `"spell"`},
		{"field%2Fdescription", "Looks a word up.", ".description", `"Looks a word up."`},
		{"field%2Feffect", "read", ".effect", `"read"`},
		{"field%2Fopen_world", "false", ".open_world", `false`},
		{"field%2Finput_schema", `{"type":"object"}`, ".input_schema.type", `"object"`},
		{"field%2Ftransport%2Ftype", "http", ".transport.type", `"http"`},
		{"field%2Ftransport%2Furl", "ftp://tools.example/", ".transport.url", `"ftp://tools.example/"`},
		{"field%2Fauth%2Ftype", "oauth2", ".auth.type", `"oauth2"`},
		{"field%2Fauth%2Fsecret_ref", "secret://look_up", ".auth.secret_ref", `"secret://look_up"`},
		{"field%2Fauth%2Fissuer", "https://login.example/", ".auth.issuer", `"https://login.example/"`},
		{"field%2Fauth%2Fscopes", "words\nread", ".auth.scopes?.length", `2`},
		{"field%2Flimits%2Ftimeout_ms", "1500", ".limits.timeout_ms", `1500`},
	} {
		b.enter(t, row[0], row[1], row[2], row[3])
	}
	if version := eval[int](t, b, at(".schema_version")); version != contracts.Version {
		t.Errorf("the form begins a document of version %d", version)
	}

	// The problem stands at the field, and at the line.
	b.until(t, "the problem at its field", `document.getElementById("field%2Ftransport%2Furl").getAttribute("aria-invalid") === "true" &&
		document.getElementById("field%2Ftransport%2Furl-problems").textContent.includes("https")`)
	b.until(t, "the problem at its line", `document.querySelectorAll(".mark-row").length === 1 && document.querySelector(".editor-line-marked")`)
	b.enter(t, "field%2Ftransport%2Furl", "https://tools.example/", ".transport.url", `"https://tools.example/"`)
	b.until(t, "a valid document", `document.querySelector(".editor-foot .verdict-line-valid")`)

	// JSON that cannot be put in keeps the rest as it was, and nothing can be sent.
	field := `document.getElementById("field%2Foutput_schema")`
	eval[any](t, b, field+`.focus(), `+field+`.value = "{", `+field+`.dispatchEvent(new Event("input", {bubbles: true}))`)
	b.until(t, "that nothing can be sent", `document.querySelector(".editor-foot .verdict-line-invalid") &&
		document.querySelector(".editor-foot .button-primary").disabled && document.querySelector(".mark-pointer").textContent === "#/output_schema"`)
	b.enter(t, "field%2Foutput_schema", `{"type":"string"}`, ".output_schema.type", `"string"`)
	b.click(t, ".editor-foot button", "Save")
	b.shownTool(t, "spell", "1.0.0")
	var stored contracts.ToolEntry
	s.must(t, http.MethodGet, "/tools/spell", "", &stored)
	if spec := stored.Spec; spec.OpenWorld || spec.Auth.Issuer != "https://login.example/" || len(spec.Auth.Scopes) != 2 || spec.Limits.TimeoutMS != 1500 ||
		string(spec.OutputSchema) != `{"type":"string"}` {
		t.Errorf("the server has %+v", spec)
	}
	b.until(t, "no draft of what was stored", `!document.querySelector(".kept")`)

	// What is typed while the server stores is not lost with the editor.
	b.click(t, ".panel-tools button", "Edit")
	b.enter(t, "field%2Fversion", "1.0.1", ".version", `"1.0.1"`)
	b.until(t, "a valid document", `document.querySelector(".editor-foot .verdict-line-valid")`)
	eval[any](t, b, `(() => {
		document.querySelector(".composer-foot .button-primary").click();
		const field = document.getElementById("field%2Fdescription");
		field.focus();
		field.value = "Typed on.";
		field.dispatchEvent(new Event("input", {bubbles: true}));
	})()`)
	b.until(t, "what was stored", `document.querySelector(".title-row [role=status]").textContent.startsWith("Stored spell@1.0.1")`)
	b.until(t, "what was typed", at(".description")+` === "Typed on." && document.querySelector(".composer-text .panel-hint").textContent.startsWith("draft kept")`)
}

// TestConsoleCatalogKeepsDrafts loses the tab while a tool is edited.
func TestConsoleCatalogKeepsDrafts(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/catalog"))
	b.until(t, "the tools", `document.querySelector("tr[data-tool]")`)
	b.click(t, "button", "Import a tool")
	b.typeUntil(t, importedTool, "a draft that is kept", `document.querySelector(".composer-text .panel-hint")?.textContent.startsWith("draft kept")`)
	b.do(t, chromedp.Reload())
	b.until(t, "the draft in a list", `document.querySelector(".kept-title")?.textContent === "look_up@1.0.0"`)
	if eval[bool](t, b, `!!document.querySelector(".editor-area")`) {
		t.Error("the draft opens unasked")
	}
	b.click(t, ".kept button", "Edit")
	b.until(t, "the draft", fmt.Sprintf(`document.querySelector(".editor-area")?.value === %s && !document.querySelector(".kept")`, quotedJSON(t, importedTool)))

	// A file that is dropped is another draft, and the first one stays.
	eval[any](t, b, `(() => {
		const transfer = new DataTransfer();
		transfer.items.add(new File(['{"name":"dropped"}'], "dropped.json"));
		document.querySelector(".composer").dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: transfer}));
	})()`)
	b.until(t, "the file, and the draft in the list", fmt.Sprintf(`%s === '{"name":"dropped"}' &&
		document.querySelector(".kept-title")?.textContent === "look_up@1.0.0"`, composerText))
	b.click(t, ".actions button", "Close")
	b.click(t, ".actions button", "Discard the changes")
	b.until(t, "no editor, and the first draft", fmt.Sprintf(`!document.querySelector(".editor-area") && %s === "look_up@1.0.0"`,
		`[...document.querySelectorAll(".kept-title")].map(e => e.textContent).join()`))

	// A draft of a tool is none of a task.
	b.do(t, chromedp.Navigate(s.url+"/new"))
	b.until(t, "the composer", `document.querySelector("#form-budget select")`)
	if eval[bool](t, b, `!!document.querySelector(".kept")`) {
		t.Error("the composer offers the draft of a tool")
	}

	// What is thrown away is thrown away, after a question.
	b.do(t, chromedp.Navigate(s.url+"/catalog"))
	b.click(t, ".kept button", "Edit")
	b.click(t, ".actions button", "Close")
	b.click(t, ".actions button", "Discard the changes")
	b.until(t, "no editor", `!document.querySelector(".editor-area")`)
	b.do(t, chromedp.Reload())
	b.until(t, "the tools again", `document.querySelector("tr[data-tool]")`)
	if eval[bool](t, b, `!!document.querySelector(".kept")`) {
		t.Error("a draft that was discarded is offered")
	}
}

// TestConsoleCatalogFitsAPhone reads the table where it is narrow.
func TestConsoleCatalogFitsAPhone(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.EmulateViewport(320, 700), chromedp.Navigate(s.url+"/catalog"))
	b.until(t, "the tools", `document.querySelector("tr[data-tool]")`)
	if got := eval[string](t, b, `document.querySelector("tr[data-tool] .narrow").innerText`); got != "read · trust builtin · transport builtin" {
		t.Errorf("the first tool is said to be %q", got)
	}
	for _, table := range eval[[][2]int](t, b, `[...document.querySelectorAll(".table")].map(t => [t.scrollWidth, t.parentElement.clientWidth])`) {
		if table[0] > table[1] {
			t.Errorf("a table of %d pixels stands in %d", table[0], table[1])
		}
	}
}
