package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
	"axiom25/server/tools"
)

// fake is a builtin tool that does what a test says.
type fake struct {
	spec *contracts.ToolSpec
	call func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)
}

func (f *fake) Spec() *contracts.ToolSpec { return f.spec }
func (f *fake) Call(ctx context.Context, args json.RawMessage, _ []contracts.Input) (json.RawMessage, error) {
	return f.call(ctx, args)
}

func newFake() *fake {
	return &fake{
		spec: &contracts.ToolSpec{
			SchemaVersion: contracts.Version, Name: "echo", Version: "1.2.0", Description: "says it again",
			InputSchema: json.RawMessage(`{"type":"object","required":["word"],"properties":{"word":{"type":"string"}},"additionalProperties":false}`),
			Effect:      contracts.EffectRead, Transport: contracts.Transport{Type: contracts.TransportBuiltin},
			Auth: contracts.Auth{Type: contracts.AuthNone}, Trust: contracts.TrustBuiltin, Approval: contracts.ApprovalAuto,
			Limits: contracts.ToolLimits{TimeoutMS: 50, MaxAttempts: 1, MaxResultBytes: 1024},
		},
		call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil },
	}
}

func openJournal(t *testing.T) *sqlitejournal.Journal {
	t.Helper()
	j, err := sqlitejournal.Open(t.Context(), filepath.Join(t.TempDir(), "j.db"), sqlitejournal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func open(t *testing.T, j journal.Journal, builtins ...tools.Builtin) *tools.Catalogue {
	t.Helper()
	c, err := tools.Open(t.Context(), j, slog.New(slog.DiscardHandler), builtins...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// spec returns a tool as an operator may set it.
func spec(name, version string, change ...func(*contracts.ToolSpec)) *contracts.ToolSpec {
	s := contractstest.ToolSpec()
	s.Name, s.Version = name, version
	s.Transport, s.Auth = contracts.Transport{Type: contracts.TransportEngine}, contracts.Auth{Type: contracts.AuthNone}
	s.Trust, s.Approval, s.Effect = contracts.TrustTrusted, contracts.ApprovalAuto, contracts.EffectRead
	for _, c := range change {
		c(s)
	}
	return s
}

func TestCatalogue_versions(t *testing.T) {
	j := openJournal(t)
	c := open(t, j, newFake())
	for _, version := range []string{"1.9.0", "1.10.0", "2.0.0-rc.1", "1.10.0+b", "1.10.0+a"} {
		if _, err := c.Put(t.Context(), spec("fetch", version)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"echo@1.2.0", "fetch@2.0.0-rc.1", "fetch@1.10.0+b", "fetch@1.10.0+a", "fetch@1.10.0", "fetch@1.9.0"}
	for name, catalogue := range map[string]*tools.Catalogue{"as set": c, "as stored": open(t, j, newFake())} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range catalogue.List() {
				got = append(got, string(e.Spec.Ref()))
			}
			if !slices.Equal(got, want) {
				t.Errorf("list %v, want %v", got, want)
			}
			if s, ok := catalogue.Tool("fetch"); !ok || s.Version != "2.0.0-rc.1" {
				t.Errorf("a bare name means %v, %v", s, ok)
			}
			if s, ok := catalogue.Tool("fetch@1.9.0"); !ok || s.Version != "1.9.0" {
				t.Errorf("an exact reference means %v, %v", s, ok)
			}
			for _, ref := range []contracts.ToolRef{"fetch@3.0.0", "fetc", "fetc@1.9.0", ""} {
				if _, ok := catalogue.Entry(ref); ok {
					t.Errorf("%q names something", ref)
				}
			}
		})
	}
}

func TestCatalogue_Put(t *testing.T) {
	c := open(t, openJournal(t), newFake())
	entry, err := c.Put(t.Context(), spec("fetch", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	if entry.Spec.Trust != contracts.TrustUntrusted || entry.Gate != contracts.GateAsk {
		t.Errorf("stored with trust %s and gate %s", entry.Spec.Trust, entry.Gate)
	}
	again, err := c.Put(t.Context(), spec("fetch", "1.0.0"))
	if err != nil || again.Digest != entry.Digest {
		t.Errorf("the same content again gives %v, %v", again.Digest, err)
	}
	if stored, ok := c.Entry("fetch"); !ok || stored.Digest != entry.Digest {
		t.Errorf("the catalogue has %v, %v", stored.Digest, ok)
	}
	for name, tc := range map[string]struct {
		spec     *contracts.ToolSpec
		problem  contracts.ProblemType
		pointers []string
	}{
		"other content":         {spec("fetch", "1.0.0", func(s *contracts.ToolSpec) { s.Description = "other" }), contracts.ProblemToolVersionConflict, nil},
		"a builtin tool's name": {spec("echo", "9.0.0"), contracts.ProblemInvalidDocument, []string{"#/name"}},
		"builtin trust":         {spec("x", "1.0.0", func(s *contracts.ToolSpec) { s.Trust = contracts.TrustBuiltin }), contracts.ProblemInvalidDocument, []string{"#/trust"}},
		// Trusted it need not ask; untrusted it must, and is not valid.
		"a trust that it is not given": {spec("z", "1.0.0", func(s *contracts.ToolSpec) { s.Approval = contracts.ApprovalNever }), contracts.ProblemInvalidDocument, []string{"#/approval"}},
		"builtin in all but name":      {newFakeNamed("y").spec, contracts.ProblemInvalidDocument, []string{"#/transport/type", "#/trust"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Put(t.Context(), tc.spec)
			problem := (*contracts.Problem)(nil)
			if !errors.As(err, &problem) || !problem.Has(tc.problem) {
				t.Fatalf("got %v, want %s", err, tc.problem)
			}
			var pointers []string
			for _, e := range problem.Errors {
				pointers = append(pointers, e.Pointer)
			}
			if !slices.Equal(pointers, tc.pointers) {
				t.Errorf("pointers %v, want %v", pointers, tc.pointers)
			}
		})
	}
	c.KeepTrust = true
	if kept, err := c.Put(t.Context(), spec("kept", "1.0.0")); err != nil || kept.Spec.Trust != contracts.TrustTrusted {
		t.Errorf("with KeepTrust: trust %s, %v", kept.Spec.Trust, err)
	}
}

func newFakeNamed(name string) *fake {
	f := newFake()
	f.spec.Name = name
	return f
}

func TestCatalogue_Delete(t *testing.T) {
	j := openJournal(t)
	c := open(t, j, newFake())
	for _, version := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		if _, err := c.Put(t.Context(), spec("fetch", version)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Delete(t.Context(), "fetch@3.0.0"); err != nil {
		t.Fatal(err)
	}
	if s, ok := c.Tool("fetch"); !ok || s.Version != "2.0.0" {
		t.Errorf("the highest version left is %v, %v", s, ok)
	}
	if err := c.Delete(t.Context(), "fetch"); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Tool("fetch"); ok {
		t.Error("the tool is still there")
	}
	if stored, err := j.Tools(t.Context()); err != nil || len(stored) != 0 {
		t.Errorf("the journal still has %v, %v", stored, err)
	}
	for ref, want := range map[contracts.ToolRef]contracts.ProblemType{
		"fetch": contracts.ProblemNotFound, "echo": contracts.ProblemForbidden, "echo@7.0.0": contracts.ProblemForbidden,
	} {
		problem := (*contracts.Problem)(nil)
		if err := c.Delete(t.Context(), ref); !errors.As(err, &problem) || !problem.Has(want) {
			t.Errorf("delete %s gives %v, want %s", ref, err, want)
		}
	}
}

func TestCatalogue_journalFails(t *testing.T) {
	j := openJournal(t)
	c := open(t, j, newFake())
	if err := j.PutTool(t.Context(), journal.Tool{Name: "echo", Version: "9.0.0", Spec: []byte(`{}`), Digest: contracts.DigestText("a")}); err != nil {
		t.Fatal(err)
	}
	if s, ok := open(t, j, newFake()).Tool("echo"); !ok || s.Version != "1.2.0" {
		t.Errorf("a stored tool shadows the builtin one: %v, %v", s, ok)
	}
	broken := newFake()
	broken.spec.InputSchema = json.RawMessage(`{"type":5}`)
	if _, err := tools.Open(t.Context(), j, slog.New(slog.DiscardHandler), broken); err == nil {
		t.Error("a builtin tool with a broken schema is taken")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Put(ended, spec("late", "1.0.0")); !errors.Is(err, context.Canceled) {
		t.Errorf("put with an ended context gives %v", err)
	}
	if _, ok := c.Tool("late"); ok {
		t.Error("what was not stored is in the catalogue")
	}
	if err := c.Delete(ended, "bad"); !errors.Is(err, context.Canceled) {
		t.Errorf("delete with an ended context gives %v", err)
	}
}

func TestCatalogue_leavesOutWhatBreaksItsContract(t *testing.T) {
	j := openJournal(t)
	c := open(t, j)
	if _, err := c.Put(t.Context(), spec("good", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	// What is trusted need not ask, and what is not has to. An earlier version of the server took the one for the other.
	never := func(s *contracts.ToolSpec) { s.Approval = contracts.ApprovalNever }
	old := spec("bad", "1.0.0", never, func(s *contracts.ToolSpec) { s.Trust = contracts.TrustUntrusted })
	doc, err := contracts.Encode(old)
	if err != nil {
		t.Fatal(err)
	}
	want := []journal.Tool{
		{Name: "bad", Version: "1.0.0", Spec: doc, Digest: contracts.DigestText("a")},
		{Name: "gone", Version: "2.0.0", Spec: []byte(`{"name":`), Digest: contracts.DigestText("b")},
	}
	for _, tool := range want {
		if err := j.PutTool(t.Context(), tool); err != nil {
			t.Fatal(err)
		}
	}
	listed := func(c *tools.Catalogue) string {
		var refs []string
		for _, e := range c.List() {
			refs = append(refs, string(e.Spec.Ref()))
		}
		return strings.Join(refs, " ")
	}

	var log bytes.Buffer
	c, err = tools.Open(t.Context(), j, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got := listed(c); got != "good@1.0.0" {
		t.Errorf("lists %s", got)
	}
	for _, ref := range []contracts.ToolRef{"bad", "bad@1.0.0", "gone"} {
		if _, ok := c.Entry(ref); ok {
			t.Errorf("has %s", ref)
		}
	}
	if lines := strings.Count(log.String(), "level=ERROR"); lines != 2 ||
		!strings.Contains(log.String(), "tool=bad@1.0.0") || !strings.Contains(log.String(), "tool=gone@2.0.0") {
		t.Errorf("says %s", log.String())
	}
	stored, err := j.Tools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored = slices.DeleteFunc(stored, func(tool journal.Tool) bool { return tool.Name == "good" })
	if !reflect.DeepEqual(stored, want) {
		t.Errorf("the journal has %+v, want it untouched: %+v", stored, want)
	}

	// The same version is put right, once, and what nobody needs is deleted.
	if _, err := c.Put(t.Context(), spec("bad", "1.0.0", never)); err == nil {
		t.Error("what breaks its contract is stored again")
	}
	if _, err := c.Put(t.Context(), spec("bad", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	var problem *contracts.Problem
	if _, err := c.Put(t.Context(), spec("bad", "1.0.0", func(s *contracts.ToolSpec) { s.Description = "another" })); !errors.As(err, &problem) ||
		!problem.Has(contracts.ProblemToolVersionConflict) {
		t.Errorf("another content under the version that was put right: %v", err)
	}
	if err := c.Delete(t.Context(), "gone@2.0.0"); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	again, err := tools.Open(t.Context(), j, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := listed(c), listed(again); a != "bad@1.0.0 good@1.0.0" || b != a || log.Len() > 0 {
		t.Errorf("lists %s, and opened again %s, and says %q", a, b, log.String())
	}
}

func TestCatalogue_concurrent(t *testing.T) {
	c := open(t, openJournal(t), newFake())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			name := string(rune('a' + i%2))
			for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
				if _, err := c.Put(t.Context(), spec(name, version)); err != nil {
					t.Error(err)
				}
				if s, ok := c.Tool(contracts.ToolRef(name)); !ok || s.Name != name {
					t.Errorf("%s names %v", name, s)
				}
				c.List()
			}
		})
	}
	all.Wait()
	if n := len(c.List()); n != 7 {
		t.Errorf("%d entries, want 7", n)
	}
}

func TestCatalogue_Call(t *testing.T) {
	tool := newFake()
	c := open(t, openJournal(t), tool)
	if b, ok := c.Builtin("echo@1.2.0"); !ok || b != tools.Builtin(tool) {
		t.Errorf("the code behind echo is %v, %v", b, ok)
	}
	if _, ok := c.Builtin("other"); ok {
		t.Error("there is code behind a tool that is not there")
	}
	failure := errors.New("no such row")
	slow := func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	says := func(output string) func(context.Context, json.RawMessage) (json.RawMessage, error) {
		return func(context.Context, json.RawMessage) (json.RawMessage, error) { return json.RawMessage(output), nil }
	}
	for name, tc := range map[string]struct {
		ref  contracts.ToolRef
		args string
		call func(context.Context, json.RawMessage) (json.RawMessage, error)
		want error
		says string
	}{
		"a result":           {ref: "echo", args: `{"word":"hi"}`},
		"another tool":       {ref: "fetch", args: `{}`, want: tools.ErrNotBuiltin},
		"a missing argument": {ref: "echo", args: `{}`, want: tools.ErrArguments, says: "/ (required)"},
		"a wrong type":       {ref: "echo", args: `{"word":5}`, want: tools.ErrArguments, says: "/word (type)"},
		"one too many":       {ref: "echo", args: `{"word":"hi","loud":true}`, want: tools.ErrArguments, says: "/ (additionalProperties)"},
		"no JSON":            {ref: "echo", args: `{`, want: tools.ErrArguments},
		"a failure":          {ref: "echo", args: `{"word":"hi"}`, want: failure, call: func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, failure }},
		"a panic":            {ref: "echo", args: `{"word":"hi"}`, want: tools.ErrDefect, call: func(context.Context, json.RawMessage) (json.RawMessage, error) { panic("hush") }},
		"a result too deep":  {ref: "echo", args: `{"word":"hi"}`, want: tools.ErrResult, call: says(strings.Repeat("[", 31) + strings.Repeat("]", 31))},
		"a number too exact": {ref: "echo", args: `{"word":"hi"}`, want: tools.ErrResult, call: says(`[9007199254740993]`)},
		"a result of no use": {ref: "echo", args: `{"word":"hi"}`, want: tools.ErrResult, call: says(`{"a":1,"a":2}`)},
		"too long":           {ref: "echo", args: `{"word":"hi"}`, want: tools.ErrTimeout, call: slow},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.call != nil {
				tool.call = tc.call
				defer func() { tool.call = newFake().call }()
			}
			out, err := c.Call(t.Context(), tc.ref, json.RawMessage(tc.args), nil)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if tc.want == nil && string(out) != tc.args || tc.want != nil && out != nil {
				t.Errorf("output %s", out)
			}
			if err != nil && (!strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("error %q, want %q in it", err, tc.says)
			}
		})
	}
	t.Run("what an event can just hold, and what is cut before one holds it", func(t *testing.T) {
		for _, output := range []string{
			strings.Repeat("[", 30) + strings.Repeat("]", 30),
			strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
		} {
			tool.call = says(output)
			if got, err := c.Call(t.Context(), "echo", json.RawMessage(`{"word":"hi"}`), nil); err != nil || string(got) != output {
				t.Errorf("%d bytes: %v", len(output), err)
			}
		}
	})
	t.Run("the run ends first", func(t *testing.T) {
		tool.call = slow
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if _, err := c.Call(ctx, "echo", json.RawMessage(`{"word":"hi"}`), nil); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, tools.ErrTimeout) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}
