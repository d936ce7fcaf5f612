package main_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// openValidate opens the validate page with a clipboard that the test can read.
func openValidate(t *testing.T, b browser, s *server) {
	t.Helper()
	b.do(t, chromedp.Navigate(s.url+"/validate"))
	b.until(t, "the page", `document.querySelector("#app-wasm-loader") === null && document.querySelector(".file-drop textarea")`)
	eval[bool](t, b, `(navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }, true)`)
}

// dropFile drops a file with these bytes onto the page, and waits until it is checked.
func (b browser) dropFile(t *testing.T, name string, content []byte) {
	t.Helper()
	eval[bool](t, b, fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), c => c.charCodeAt(0));
		const files = new DataTransfer();
		files.items.add(new File([bytes], %q));
		return document.querySelector(".file-drop").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`, base64.StdEncoding.EncodeToString(content), name))
	b.until(t, name+", checked", fmt.Sprintf(
		`document.querySelector(".file-drop .panel-title").textContent === %q && !document.querySelector(".verdict-line").textContent.startsWith("Checking")`, name))
}

// choose chooses an option of a list by its words.
func (b browser) choose(t *testing.T, label, option string) {
	t.Helper()
	b.until(t, option, fmt.Sprintf(`(() => {
		const list = document.querySelector('select[aria-label=%q]');
		const i = [...list.options].findIndex(o => o.textContent.trim() === %q);
		if (i < 0) return false;
		list.selectedIndex = i;
		return list.dispatchEvent(new Event("change", {bubbles: true}));
	})()`, label, option))
}

// copiedProblem is what the page puts on the clipboard, empty where it has no problem to offer.
func (b browser) copiedProblem(t *testing.T) string {
	t.Helper()
	return eval[string](t, b, `(() => {
		window.copied = "";
		document.querySelector("[title='Copy the problems as JSON']")?.click();
		return copied;
	})()`)
}

// judgedDocument is a document and what the server said of it; empty where it is valid.
type judgedDocument struct {
	kind    contracts.Kind
	name    string
	content []byte
	problem string
}

// documentsOfAllContracts are those of the contracts' own tests, and some of them damaged.
func documentsOfAllContracts(t *testing.T) []judgedDocument {
	t.Helper()
	var list []judgedDocument
	add := func(kind contracts.Kind, content []byte) {
		list = append(list, judgedDocument{kind: kind, name: fmt.Sprintf("%s-%d.json", kind, len(list)), content: content})
	}
	random := rand.New(rand.NewPCG(25, 5)) //nolint:gosec // the same damage in every run
	for _, kind := range contracts.Kinds() {
		files, err := filepath.Glob(filepath.Join("..", "contracts", "testdata", "corpus", "v*", string(kind), "*", "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no documents of %s: %v", kind, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, ".problem.json") || strings.HasSuffix(file, ".migrated.json") {
				continue
			}
			content, err := os.ReadFile(file) //nolint:gosec // the contracts' own test data
			if err != nil {
				t.Fatal(err)
			}
			add(kind, content)
		}
		valid := contractstest.ValidDocuments(kind)
		for i := range 6 {
			add(kind, contractstest.Damage(random, valid[i%len(valid)]))
		}
		add(kind, []byte(`{"schema_version":9}`))
	}
	add(contracts.KindTaskSpec, []byte(`{"goal":"`+strings.Repeat("a", contracts.MaxDocumentBytes)+`"}`))
	add(contracts.KindRunEvent, bytes.Repeat([]byte(" "), contracts.MaxDocumentBytes+1))
	return list
}

// TestValidationGoesOnWithoutAServer loads the page after the server has died, has it judge documents of all contracts, and
// compares what it says with what the server said, byte for byte.
func TestValidationGoesOnWithoutAServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), ownAddress()...)
	documents := documentsOfAllContracts(t)
	kinds := map[contracts.Kind]int{}
	for i := range documents {
		d := &documents[i]
		r := s.send(t, http.MethodPost, "/validate/"+string(d.kind), string(d.content))
		if r.status != http.StatusNoContent {
			d.problem = string(r.body)
			kinds[d.kind]++
		}
	}
	for _, kind := range contracts.Kinds() {
		if kinds[kind] < 5 {
			t.Errorf("only %d documents of %s are wrong", kinds[kind], kind)
		}
	}
	b := newBrowser(t)
	openValidate(t, b, s)
	b.installed(t)
	s.kill(t)
	// Nothing is left of the page that the server has sent.
	b.do(t, chromedp.Navigate("about:blank"))
	openValidate(t, b, s)
	var chosen contracts.Kind
	for _, d := range documents {
		if len(bytes.TrimSpace(d.content)) == 0 {
			continue // the page has nothing to check then, and the server says so
		}
		if d.kind != chosen {
			chosen = d.kind
			b.choose(t, "Contract", map[contracts.Kind]string{
				contracts.KindTaskSpec: "TaskSpec", contracts.KindBudget: "Budget", contracts.KindVerifyContract: "VerifyContract",
				contracts.KindToolSpec: "ToolSpec", contracts.KindRunEvent: "RunEvent",
			}[chosen])
		}
		b.dropFile(t, d.name, d.content)
		if got := b.copiedProblem(t); got != d.problem {
			t.Errorf("%s: the page says\n%s\nthe server says\n%s\nof\n%.300s", d.name, got, d.problem, d.content)
		}
	}
}

// TestTheReaderIsLedThroughProblems uses the page as somebody does who has written a document.
func TestTheReaderIsLedThroughProblems(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	openValidate(t, b, s)

	b.typeUntil(t, strings.Replace(flawedTask, "Say", "🪐 Say", 1), "two problems", `document.querySelector(".verdict-line")?.textContent === "2 problems"`)
	if got := eval[string](t, b, `document.querySelector("select[aria-label=Contract]").selectedOptions[0].textContent.trim()`); got != "Recognised: TaskSpec" {
		t.Errorf("the contract is %q", got)
	}
	if got := eval[string](t, b, `document.querySelector("select[aria-label=Version]").selectedOptions[0].textContent.trim()`); got != "As it says: 2" {
		t.Errorf("the version is %q", got)
	}
	const selected = `(() => { const a = document.querySelector("textarea"); return document.activeElement === a ? a.value.slice(a.selectionStart, a.selectionEnd) : ""; })()`
	for place, want := range map[string]string{"4:28": "0", "5:3": `"gaol"`} {
		b.click(t, ".mark-place", place)
		b.until(t, "the caret at "+place, selected+fmt.Sprintf(" === %q", want))
	}
	b.click(t, ".mark-guess", "Did you mean goal?")
	b.until(t, "goal instead of gaol", `document.querySelector("textarea").value.includes('  "goal": "a slip')`)
	b.until(t, "the name that is there twice now", `[...document.querySelectorAll(".mark-detail")].some(e => e.textContent.includes("occurs twice"))`)
	if href := eval[string](t, b, `document.querySelector(".editor-foot a").getAttribute("href")`); href != "/reference/problems#invalid-document" {
		t.Errorf("the problem leads to %s", href)
	}

	// A version that is chosen and not named.
	b.typeUntil(t, `{"goal":"a","schema_version":2}`, "a valid task", `document.querySelector(".verdict-line")?.textContent === "Valid TaskSpec, version 2"`)
	b.choose(t, "Version", "Version 1")
	b.click(t, ".panel-words button", "Write version 1 into it")
	b.until(t, "the version in the text", `document.querySelector("textarea").value === '{"goal":"a","schema_version":1}'`)

	// Marks of none and of several contracts.
	b.choose(t, "Version", "As it says: 1")
	b.typeUntil(t, `{"schema_version":2}`, "the question which contract it is", `document.querySelector(".verdict-line")?.textContent.includes("choose it above")`)
	b.choose(t, "Contract", "Budget")
	b.until(t, "a valid budget", `document.querySelector(".verdict-line")?.textContent === "Valid Budget, version 2"`)
}

// oldTask is written in version 1.
const oldTask = `{
  "schema_version": 1,
  "goal": "Count the moons",
  "budget": {"tokens": 5000, "time_s": 4},
  "backend_pref": "local"
}
`

func TestADocumentIsMigratedInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(file, []byte(oldTask), 0o600); err != nil {
		t.Fatal(err)
	}
	printed := axiom25(t, "", "migrate", file)
	b := newBrowser(t)
	openValidate(t, b, s)
	s.kill(t)
	b.dropFile(t, "old.json", []byte(oldTask))
	b.click(t, "button", "Migrate to version 2")
	b.until(t, "the difference", `document.querySelector(".diff-removed")?.textContent.includes('"schema_version": 1')`)
	if kept := eval[int](t, b, `[...document.querySelectorAll(".diff-line:not(.diff-added):not(.diff-removed)")].filter(e => e.textContent.includes("Count the moons")).length`); kept != 1 {
		t.Error("what stays as it is is not shown as such")
	}
	changes := eval[[]string](t, b, `[...document.querySelectorAll("[aria-label=Changes] li")].map(e => [...e.querySelectorAll("code")].map(c => c.textContent).join(" -> ") + ": " + e.querySelector("span").textContent)`)
	if got, want := strings.Join(changes, "\n"), strings.TrimSpace(strings.ReplaceAll(printed.stderr, file+": ", "")); got != want {
		t.Errorf("the page lists\n%s\nthe command\n%s", got, want)
	}
	eval[bool](t, b, `(() => {
		HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };
		URL.createObjectURL = blob => { blob.text().then(text => { window.saved = text; }); return "blob:saved"; };
		return true;
	})()`)
	b.click(t, "button", "Download")
	b.until(t, "the file", "window.saved && window.savedAs")
	if got := eval[[]string](t, b, "[savedAs, saved]"); got[0] != "old.v2.json" || got[1] != printed.stdout {
		t.Errorf("saved %q, want what the command prints:\n%s", got, printed.stdout)
	}
	b.click(t, "button", "Take it over")
	b.until(t, "the new document", `document.querySelector(".verdict-line").textContent === "Valid TaskSpec, version 2"`)
	if got := eval[string](t, b, `document.querySelector("textarea").value`); got != printed.stdout {
		t.Errorf("took over\n%s\nwant\n%s", got, printed.stdout)
	}
}

func TestASavedStreamIsHeldAgainstTheInvariants(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, string(exampleDocument(t, "planets.json")))
	s.done(t, id)
	lines := s.history(t, id)
	whole := strings.Join(lines, "\n") + "\n"
	b := newBrowser(t)
	openValidate(t, b, s)
	s.kill(t)

	b.dropFile(t, "whole.ndjson", []byte(whole))
	b.until(t, "a run that holds", fmt.Sprintf(`document.querySelector(".run-finding")?.textContent.includes("All 18 invariants hold. The run ended succeeded with event %d.")`, len(lines)))

	b.dropFile(t, "gap.ndjson", []byte(strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), "\n")))
	b.until(t, "the gap", `document.querySelector(".run-finding")?.textContent.includes("Event 5, in line 4, breaks invariant 1")`)
	if href := eval[string](t, b, `document.querySelector(".run-finding a").getAttribute("href")`); href != "/reference/events#invariant-1" {
		t.Errorf("the invariant leads to %s", href)
	}
	b.click(t, ".run-finding button", "Go to line 4")
	b.until(t, "the line", fmt.Sprintf(`(() => { const a = document.querySelector("textarea"); return a.value.slice(a.selectionStart, a.selectionEnd) === %q; })()`, lines[4]))

	wrong := strings.Replace(whole, `"seq":3,`, `"seq":3,"branhc":"a",`, 1)
	b.dropFile(t, "wrong.ndjson", []byte(wrong))
	b.until(t, "the line that is wrong", `document.querySelector(".mark-place")?.textContent.startsWith("3:")`)
	b.click(t, ".mark-guess", "Did you mean branch?")
	b.until(t, "a stream without a wrong line", `document.querySelector(".verdict-line").textContent.endsWith("each valid")`)

	// A long stream does not fit on the page; it is checked all the same, beside it.
	var long strings.Builder
	for long.Len() < 3<<20 {
		long.WriteString(whole)
	}
	b.dropFile(t, "long.ndjson", []byte(long.String()))
	b.until(t, "where the second run begins", fmt.Sprintf(`document.querySelector(".run-finding")?.textContent.includes("in line %d, breaks invariant 1")`, len(lines)+1))
	if eval[bool](t, b, `!!document.querySelector("textarea")`) {
		t.Error("the page holds the text of 3 MiB")
	}
}
