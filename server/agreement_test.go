package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chromedp/chromedp"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// judged is how many documents the native validator and the WebAssembly one are both asked about.
const judged = 5_000

// corpusDir holds documents of every released version.
const corpusDir = "../contracts/testdata/corpus"

// caseSeeds returns the valid documents of each contract in each version that is accepted.
func caseSeeds(t *testing.T) []contractstest.Seeds {
	t.Helper()
	var all []contractstest.Seeds
	for _, version := range []int{contracts.Version, contracts.Version - 1} {
		for _, kind := range contracts.Kinds() {
			s := contractstest.Seeds{Kind: kind}
			if version == contracts.Version {
				s.Docs = contractstest.ValidDocuments(kind)
			}
			files, err := filepath.Glob(filepath.Join(corpusDir, fmt.Sprintf("v%d", version), string(kind), "valid", "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				if strings.HasSuffix(file, ".migrated.json") {
					continue
				}
				doc, err := os.ReadFile(file) //nolint:gosec // a file of this repository
				if err != nil {
					t.Fatal(err)
				}
				if err := contracts.Validate(kind, doc); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				s.Docs = append(s.Docs, doc)
			}
			if len(s.Docs) > 0 {
				all = append(all, s)
			}
		}
	}
	if want := 2*len(contracts.Kinds()) - 1; len(all) != want {
		t.Fatalf("documents of %d contracts and versions, want %d: events begin with version 2", len(all), want)
	}
	return all
}

// judgedCases returns the documents, the same in every run.
func judgedCases(t *testing.T) []contractstest.Case {
	t.Helper()
	random := rand.New(rand.NewPCG(25, 2)) //nolint:gosec // a fixed seed, so that a failure comes back
	return contractstest.Cases(random, judged, caseSeeds(t))
}

// judgedHere is what the code of this test's own machine finds.
func judgedHere(t *testing.T, cases []contractstest.Case) [][]byte {
	t.Helper()
	var out bytes.Buffer
	if err := contractstest.Judge(bytes.NewReader(contractstest.EncodeCases(cases)), &out); err != nil {
		t.Fatal(err)
	}
	return findings(t, cases, out.Bytes())
}

// findings reads what a judge wrote.
func findings(t *testing.T, cases []contractstest.Case, written []byte) [][]byte {
	t.Helper()
	found, err := contractstest.DecodeFindings(written)
	if err != nil || len(found) != len(cases) {
		t.Fatalf("%d findings of %d documents: %v", len(found), len(cases), err)
	}
	return found
}

// firstDifference returns the first case that two judges do not say the same of, byte for byte, or "".
func firstDifference(cases []contractstest.Case, want, got [][]byte) string {
	for i, c := range cases {
		if !bytes.Equal(want[i], got[i]) {
			return fmt.Sprintf("document %d, %s, in hex:\n%.20000x\nnatively: %s\ninstead:  %s", i, c.Kind, c.Doc, want[i], got[i])
		}
	}
	return ""
}

// wasmJudge builds the judge as the console is built, and returns the file.
func wasmJudge(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "judge.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "validator_novalidatefn", "-o", file, "axiom25/wasm/judge") //nolint:gosec // the test's own arguments
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the judge: %v\n%s", err, out)
	}
	return file
}

// wasmSupport is where Go keeps what runs its WebAssembly.
func wasmSupport(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm")
}

// TestNativeAndBrowserAgree holds the problems of thousands of documents, byte for byte, against those that the same code
// finds as WebAssembly: under node and in Chromium.
func TestNativeAndBrowserAgree(t *testing.T) {
	t.Parallel()
	cases := judgedCases(t)
	want := judgedHere(t, cases)
	checkMixture(t, cases, want)
	input, file, support := contractstest.EncodeCases(cases), wasmJudge(t), wasmSupport(t)

	t.Run("node", func(t *testing.T) {
		t.Parallel()
		var out, failure bytes.Buffer
		cmd := exec.CommandContext(t.Context(), filepath.Join(support, "go_js_wasm_exec"), file) //nolint:gosec // the Go distribution's own
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &failure
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, &failure)
		}
		if difference := firstDifference(cases, want, findings(t, cases, out.Bytes())); difference != "" {
			t.Error(difference)
		}
	})
	t.Run("chromium", func(t *testing.T) {
		t.Parallel()
		written := make(chan []byte, 1)
		page := httptest.NewServer(judgePage(t, support, file, input, written))
		defer page.Close()
		b := newBrowser(t)
		b.do(t, chromedp.Navigate(page.URL))
		b.until(t, "the end of the judge", `window.ended`)
		if status := eval[string](t, b, "window.ended"); status != "0" {
			t.Fatalf("the judge ended with %s", status)
		}
		if difference := firstDifference(cases, want, findings(t, cases, <-written)); difference != "" {
			t.Error(difference)
		}
	})
}

// TestADifferenceIsFound alters one document of many: what compares the judges must see it.
func TestADifferenceIsFound(t *testing.T) {
	t.Parallel()
	cases := judgedCases(t)[:200]
	want := judgedHere(t, cases)
	if difference := firstDifference(cases, want, judgedHere(t, cases)); difference != "" {
		t.Fatalf("the same judge differs from itself: %s", difference)
	}
	const altered = 150
	others := slices.Clone(cases)
	others[altered].Doc = append(slices.Clone(cases[altered].Doc), '!')
	got := judgedHere(t, others)
	if difference := firstDifference(cases, want, got); !strings.HasPrefix(difference, fmt.Sprintf("document %d, ", altered)) {
		t.Errorf("got %q", difference)
	}
}

// shownOnPage is how many documents the console itself is asked about.
const shownOnPage = 120

// pageJudgement is what the page for documents shows of one.
type pageJudgement struct {
	Words string      `json:"words"`
	Valid bool        `json:"valid"`
	Rows  [][3]string `json:"rows"`
}

// TestTheConsoleFindsWhatTheServerFinds puts documents into the editor of the built console, and compares what it lists of
// each with what the server answers.
func TestTheConsoleFindsWhatTheServerFinds(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(s.url+"/validate"))
	b.typeUntil(t, flawedTask, "two problems", `document.querySelector(".verdict-line-invalid")`) // the program runs

	var cases []contractstest.Case
	for _, c := range judgedCases(t) {
		// An editor holds text: what is none, or is changed by being put there, never reaches the validator.
		if len(cases) < shownOnPage && utf8.Valid(c.Doc) && !bytes.ContainsRune(c.Doc, '\r') && len(bytes.TrimSpace(c.Doc)) > 0 && len(c.Doc) < 20_000 {
			cases = append(cases, c)
		}
	}
	type entry struct {
		Contract int    `json:"contract"`
		Text     string `json:"text"`
	}
	entries := make([]entry, len(cases))
	for i, c := range cases {
		entries[i] = entry{1 + slices.Index(contracts.Kinds(), c.Kind), string(c.Doc)} // the first choice is to recognise it
	}
	script, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	eval[any](t, b, `void (async () => {
		const line = () => document.querySelector(".verdict-line");
		const until = async condition => { while (!condition()) await new Promise(done => setTimeout(done, 1)); };
		const enter = (element, value, event) => { element.value = value; element.dispatchEvent(new Event(event, {bubbles: true})); };
		const shown = [];
		for (const {contract, text} of `+string(script)+`) {
			enter(document.querySelector("select"), String(contract), "change");
			enter(document.querySelector("textarea"), "", "input");
			await until(() => line().classList.contains("verdict-line-blank") && !document.querySelector(".mark-row"));
			enter(document.querySelector("textarea"), text, "input");
			await until(() => !line().classList.contains("verdict-line-blank"));
			shown.push({
				words: line().textContent, valid: line().classList.contains("verdict-line-valid"),
				rows: [...document.querySelectorAll(".mark-row")].map(row => ["place", "pointer", "detail"].map(
					name => row.querySelector(".mark-" + name)?.textContent ?? "")),
			});
		}
		window.shownOfAll = shown;
	})()`)
	b.until(t, "what is wrong with each document", "window.shownOfAll")
	shown := eval[[]pageJudgement](t, b, "window.shownOfAll")
	refused := 0
	for i, c := range cases {
		want := serverJudgement(t, s, c)
		if got := shown[i]; got.Valid != want.Valid || !slices.EqualFunc(got.Rows, want.Rows, sameRow) {
			t.Errorf("document %d, %s, in hex:\n%x\nthe page shows %+v\nthe server says %+v", i, c.Kind, c.Doc, got, want)
		}
		refused += len(want.Rows)
	}
	if refused < len(cases)/2 {
		t.Errorf("only %d problems in %d documents", refused, len(cases))
	}
}

// anywhere is the place of a problem that the server gives no place: something is missing, and the page marks what is
// around it.
const anywhere = "anywhere"

// sameRow compares a row of the page with the one that is wanted.
func sameRow(got, want [3]string) bool {
	return got == want || want[0] == anywhere && got[0] != "" && slices.Equal(got[1:], want[1:])
}

// serverJudgement is what the page has to show where it agrees with the server.
func serverJudgement(t *testing.T, s *server, c contractstest.Case) pageJudgement {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/validate/"+string(c.Kind), bytes.NewReader(c.Doc))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if res.StatusCode == http.StatusNoContent {
		return pageJudgement{Valid: true}
	}
	var p contracts.Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	var want pageJudgement
	for _, e := range p.Errors {
		row := [3]string{anywhere, e.Pointer, e.Detail}
		if e.Offset != nil {
			line, column := contracts.Position(c.Doc, *e.Offset)
			row[0] = fmt.Sprintf("%d:%d", line, column)
		}
		want.Rows = append(want.Rows, row)
	}
	if p.Truncated != nil && *p.Truncated {
		want.Rows = append(want.Rows, [3]string{})
	}
	return want
}

// checkMixture fails where the documents are one-sided.
func checkMixture(t *testing.T, cases []contractstest.Case, found [][]byte) {
	t.Helper()
	count := make(map[string]int)
	for i, c := range cases {
		if count["of "+string(c.Kind)]++; len(found[i]) == 0 {
			count["valid"]++
			continue
		}
		var p contracts.Problem
		if err := json.Unmarshal(found[i], &p); err != nil {
			t.Fatal(err)
		}
		count[strings.TrimPrefix(p.Type, "/problems/")]++
		if p.Errors[0].Code == contracts.CodeEncoding {
			count["bad UTF-8 and lone surrogates"]++
		}
		if p.Errors[0].Code == contracts.CodeDepth {
			count["too deep"]++
		}
		if strings.HasSuffix(p.Schema, "/v1") {
			count["invalid by version 1"]++
		}
	}
	t.Logf("%d documents: %v", len(cases), count)
	for what, least := range map[string]int{
		"valid": judged / 5, string(contracts.ProblemInvalidDocument): judged / 4, string(contracts.ProblemMalformed): judged / 20,
		string(contracts.ProblemTooLarge): 2, string(contracts.ProblemUnsupportedVersion): judged / 100,
		"bad UTF-8 and lone surrogates": judged / 100, "too deep": judged / 500, "invalid by version 1": judged / 10,
		"of taskspec": judged / 10, "of budget": judged / 10, "of verifycontract": judged / 10, "of toolspec": judged / 10, "of runevent": judged / 10,
	} {
		if count[what] < least {
			t.Errorf("%d documents are %s, want %d or more", count[what], what, least)
		}
	}
}

// judgePage serves a page that runs the judge on input; what it writes is sent to written.
func judgePage(t *testing.T, support, wasm string, input []byte, written chan<- []byte) http.Handler {
	t.Helper()
	// The judge reads and writes files as under node; here the page is its file system.
	const page = `<!doctype html><script type="module">
		const input = new Uint8Array(await (await fetch("/input")).arrayBuffer());
		const output = [];
		let at = 0;
		const unknown = new Proxy({}, {get: () => -1});
		const refuse = (...args) => args.at(-1)(Object.assign(new Error("no such thing here"), {code: "ENOSYS"}));
		const write = (fd, bytes) => { fd === 1 ? output.push(bytes.slice()) : console.error(new TextDecoder().decode(bytes)); return bytes.length; };
		globalThis.fs = new Proxy({
			constants: unknown,
			writeSync: write,
			write: (fd, buffer, offset, length, position, done) => done(null, write(fd, buffer.subarray(offset, offset + length))),
			read: (fd, buffer, offset, length, position, done) => {
				const part = input.subarray(at, at + length);
				buffer.set(part, offset);
				at += part.length;
				done(null, part.length);
			},
		}, {get: (fs, name) => fs[name] ?? refuse});
		await import("/wasm_exec.js");
		const go = new Go();
		let status = 0;
		go.exit = code => { status = code; };
		const {instance} = await WebAssembly.instantiateStreaming(fetch("/judge.wasm"), go.importObject);
		await go.run(instance);
		await fetch("/output", {method: "POST", body: new Blob(output)});
		window.ended = String(status);
	</script>`
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page) //nolint:errcheck // the page says what it lacks
	})
	mux.HandleFunc("GET /wasm_exec.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(support, "wasm_exec.js"))
	})
	mux.HandleFunc("GET /judge.wasm", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, wasm) })
	mux.HandleFunc("GET /input", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(input)
	})
	mux.HandleFunc("POST /output", func(_ http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		written <- b.Bytes()
	})
	return mux
}
