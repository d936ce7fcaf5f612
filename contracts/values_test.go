package contracts_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

func TestParseNumber(t *testing.T) {
	for literal, want := range map[string]bool{
		"0": true, "-0": true, "0.0e5": true, "1": true, "-1.5": true, "0.1": true, "1e300": true, "1E+2": true,
		"9007199254740992": true, "9007199254740993": false, "9007199254740994": true,
		"9223372036854775808": true, "9223372036854775807": false, "18446744073709551616": true,
		"36893488147419103232": true, "36893488147419103233": false, "1e22": true, "1e23": true,
		"0.1000000000000000055511151231257827021181583404541015625":     true,
		"0.10000000000000000555111512312578270211815834045410156250000": true,
		"0.1000000000000000055511151231257827021181583404541015626":     false,
		"0.10000000000000001": true, "0.30000000000000005": false, "0.3333333333333333": true, "12345678901234567": false,
		"5e-324": true, "4.9406564584124654e-324": true, "1e-324": false, "1e-400": false,
		"1.7976931348623157e308": true, "1.7976931348623159e308": false, "1e309": false, "-1e400": false,
		"1e99999999999999999999": false, "0e99999999999999999999": true, "1e-99999999999999999999": false,
		"0." + strings.Repeat("3", 1200): false,
		strings.Repeat("9", 500):         false,
		"1" + strings.Repeat("0", 308):   true,
	} {
		if _, got := contracts.ParseNumber([]byte(literal)); got != want {
			t.Errorf("%.70s: got %v, want %v", literal, got, want)
		}
	}
}

func TestParseInteger(t *testing.T) {
	for literal, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-9007199254740991": -9007199254740991, "9007199254740991": 9007199254740991,
		"1.0": 1, "1e3": 1000, "1.5e1": 15, "-20e-1": -2,
	} {
		if got, ok := contracts.ParseInteger([]byte(literal)); !ok || got != want {
			t.Errorf("%s: got %d, %v", literal, got, ok)
		}
	}
	for _, literal := range []string{
		"9007199254740992", "-9007199254740992", "1.5", "1e16", "0.1", "1e400", "99999999999999999999", "12345678901234567",
	} {
		if got, ok := contracts.ParseInteger([]byte(literal)); ok {
			t.Errorf("%s: got %d", literal, got)
		}
	}
}

// TestDigestJSON uses the samples of RFC 8785, sections 3.2.2 and 3.2.3, beside documents that say the same.
func TestDigestJSON(t *testing.T) {
	const (
		sample = `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`
		canonical = `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
	)
	for name, pair := range map[string][2]string{
		"the sample of section 3.2.2": {sample, canonical},
		"white space":                 {" { \"a\" :\t[ ] }\n", `{"a":[]}`},
		"the order of members":        {`{"b":1,"a":2}`, `{"a":2,"b":1}`},
		"the order is that of UTF-16": {"{\"\ufb33\":1,\"\U0001f600\":2}", "{\"\U0001f600\":2,\"\ufb33\":1}"},
		"numbers":                     {`[1.0,10e-1,-0,1e21]`, `[1,1,0,1000000000000000000000]`},
		"escapes":                     {`"\u0061\/\u00e4"`, `"a/ä"`},
	} {
		got, err := contracts.DigestJSON([]byte(pair[0]))
		want, wantErr := contracts.DigestJSON([]byte(pair[1]))
		if err != nil || wantErr != nil || got != want {
			t.Errorf("%s: %v (%v), %v (%v)", name, got, err, want, wantErr)
		}
	}
	if got, _ := contracts.DigestJSON([]byte(sample)); got != contracts.DigestText(canonical) {
		t.Errorf("the digest is not that of the canonical bytes: %s", got)
	}
	for _, doc := range []string{``, `{`, `{"a":1,"a":2}`, "\"\xff\"", `1 2`} {
		if _, err := contracts.DigestJSON([]byte(doc)); err == nil {
			t.Errorf("%q has a digest", doc)
		}
	}
	if got := contracts.DigestText("abc"); got != "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the sample of FIPS 180: %s", got)
	}
}

func TestTime(t *testing.T) {
	const text = "2026-01-02T03:04:05.678Z"
	at, err := contracts.ParseTime(text)
	if err != nil || at != contractstest.Start || at.String() != text {
		t.Fatalf("got %v, %v", at, err)
	}
	if got := contracts.TimeOf(at.Std().Add(999 * time.Microsecond)); got != at {
		t.Errorf("rounded to %v", got)
	}
	if later := at.Add(1500); later.Sub(at) != 1500 {
		t.Errorf("got %v", later)
	}
	var back contracts.Time
	if b, err := json.Marshal(at); err != nil || json.Unmarshal(b, &back) != nil || back != at {
		t.Errorf("got %s, %v", b, back)
	}
	for _, bad := range []string{
		"", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05,678Z", "2026-01-02t03:04:05.678z", "2026-01-02T03:04:05.678+00:00",
		"2026-02-30T03:04:05.678Z", "2026-01-02T24:00:00.000Z", "2026-12-31T23:59:60.000Z", "1969-12-31T23:59:59.999Z", "12026-01-02T03:04:05.678Z",
	} {
		if got, err := contracts.ParseTime(bad); !errors.Is(err, contracts.ErrInvalidTime) {
			t.Errorf("%s: got %v, %v", bad, got, err)
		}
		if err := json.Unmarshal([]byte(`"`+bad+`"`), &back); !errors.Is(err, contracts.ErrInvalidTime) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	if err := back.UnmarshalJSON([]byte(`5`)); !errors.Is(err, contracts.ErrInvalidTime) {
		t.Errorf("got %v", err)
	}
}

func TestIDs(t *testing.T) {
	run, err := contracts.ParseRunID("run_01kdy700000000000000000001")
	if err != nil || run != contractstest.RunID(1) || run.String() != "run_01kdy700000000000000000001" {
		t.Errorf("got %v, %v", run, err)
	}
	approval, err := contracts.ParseApprovalID("apr_7zzzzzzzzzzzzzzzzzzzzzzzzz")
	if err != nil || approval.String() != "apr_7zzzzzzzzzzzzzzzzzzzzzzzzz" {
		t.Errorf("got %v, %v", approval, err)
	}
	for _, digits := range []string{"", "01kdy70000000000000000000", "81kdy700000000000000000001", "01KDY700000000000000000001", "01kdy70000000000000000000u", "01kdy70000000000000000000-"} {
		if _, err := contracts.ParseRunID("run_" + digits); !errors.Is(err, contracts.ErrInvalidID) {
			t.Errorf("run_%s: %v", digits, err)
		}
		if _, err := contracts.ParseApprovalID("apr_" + digits); !errors.Is(err, contracts.ErrInvalidID) {
			t.Errorf("apr_%s: %v", digits, err)
		}
	}
	if _, err := contracts.ParseRunID("apr_01kdy700000000000000000001"); err == nil {
		t.Error("an approval is no run")
	}
	if name, version := contracts.ToolRef("a@1.0.0+b").Split(); name != "a" || version != "1.0.0+b" {
		t.Errorf("got %s, %s", name, version)
	}
}

func TestTarget(t *testing.T) {
	for target, want := range map[contracts.Target][3]string{
		"output":            {"output", "", ""},
		"usage#/tokens_in":  {"usage", "", "/tokens_in"},
		"tool:a@1.0.0#/x/0": {"tool", "a@1.0.0", "/x/0"},
	} {
		if subject, tool, pointer := target.Split(); subject != want[0] || string(tool) != want[1] || pointer != want[2] {
			t.Errorf("%s: got %s, %s, %s", target, subject, tool, pointer)
		}
	}
}

// limitsOf returns the limits as JSON shows them, so that a field more is compared too.
func limitsOf(t *testing.T, l contracts.Limits) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(contractstest.Document(l), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestProfilesGrow(t *testing.T) {
	tight, balanced, most := limitsOf(t, contracts.ProfileLimits(contracts.ProfileTight)),
		limitsOf(t, contracts.ProfileLimits("")), limitsOf(t, contracts.ProfileLimits(contracts.ProfileMax))
	for name := range tight {
		if name == "on_exhausted" {
			continue
		}
		a, _ := tight[name].(float64)
		b, _ := balanced[name].(float64)
		c, _ := most[name].(float64)
		if a > b || b > c {
			t.Errorf("%s: %v, %v, %v", name, a, b, c)
		}
	}
	if got := contracts.ProfileLimits(contracts.ProfileBalanced).SpendableTokens(); got != 124_000 {
		t.Errorf("spendable tokens: %d", got)
	}
}

// TestOneOverrideIsValid gives each limit its least and its greatest value, alone, over each profile.
func TestOneOverrideIsValid(t *testing.T) {
	for _, profile := range []string{"tight", "balanced", "max"} {
		for _, override := range []string{
			`"max_tokens":1`, `"max_tokens":9007199254740991`, `"max_wall_ms":100`, `"max_wall_ms":86400000`, `"max_active_ms":100`,
			`"max_active_ms":2000`, `"branch_width":64`, `"reflection_passes":0`, `"max_tool_calls":0`, `"max_cost_microusd":0`,
			`"warn_pct":1`, `"on_exhausted":"stop"`, `"on_exhausted":"finalize"`,
		} {
			got, err := contracts.Decode[contracts.TaskSpec]([]byte(task(`"profile":"` + profile + `","budget":{` + override + `}`)))
			if err != nil {
				t.Errorf("%s, %s: %q", profile, override, found(t, err))
				continue
			}
			l := got.Budget.Effective(got.Profile)
			if l.MaxActiveMS > l.MaxWallMS || l.ReserveTokens >= l.MaxTokens || l.OnExhausted == contracts.ExhaustedStop && l.ReserveTokens > 0 {
				t.Errorf("%s, %s: %+v", profile, override, l)
			}
		}
	}
}

// catalogue is a contracts.Catalogue of fixed tools.
type catalogue map[contracts.ToolRef]*contracts.ToolSpec

// Tool implements contracts.Catalogue.
func (c catalogue) Tool(ref contracts.ToolRef) (*contracts.ToolSpec, bool) {
	spec, ok := c[ref]
	return spec, ok
}

func TestCheckTools(t *testing.T) {
	query := contractstest.ToolSpec()
	tools := catalogue{"sql_query": query, "sql_query@1.0.0": query}
	got, err := contractstest.TaskSpec(func(t *contracts.TaskSpec) {
		t.AllowedTools = []contracts.ToolRef{"sql_query"}
	}).CheckTools(tools)
	if err != nil || len(got) != 1 || got["sql_query@1.0.0"] != query {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = contractstest.TaskSpec(func(t *contracts.TaskSpec) {
		t.AllowedTools = []contracts.ToolRef{"sql_query@2.0.0", "sql_query", "shell"}
	}).CheckTools(tools)
	var p *contracts.Problem
	if !errors.As(err, &p) || !p.Has(contracts.ProblemToolUnknown) || p.Status != 422 {
		t.Fatalf("got %v", err)
	}
	if want := []string{"#/allowed_tools/0 tool.unknown", "#/allowed_tools/2 tool.unknown"}; !slices.Equal(found(t, err), want) {
		t.Errorf("got %q", found(t, err))
	}
}

func TestCheckCeiling(t *testing.T) {
	ceiling := contracts.ProfileLimits(contracts.ProfileBalanced)
	for name, r := range map[string]struct {
		doc  string
		want []string
	}{
		"at the ceiling":       {task(``), nil},
		"below":                {task(`"profile":"tight"`), nil},
		"an override":          {task(`"budget":{"max_tokens":128001,"branch_width":4,"warn_pct":99}`), []string{"#/budget/branch_width budget.over_ceiling", "#/budget/max_tokens budget.over_ceiling"}},
		"a profile and one of": {task(`"profile":"max","budget":{"max_tokens":128000,"max_wall_ms":3600001,"max_active_ms":1000,"branch_width":1,"reflection_passes":1,"max_tool_calls":1}`), []string{"#/budget/max_wall_ms budget.over_ceiling", "#/profile budget.over_ceiling"}},
	} {
		spec, err := contracts.Decode[contracts.TaskSpec]([]byte(r.doc))
		if err != nil {
			t.Fatal(err)
		}
		err = spec.CheckCeiling(ceiling)
		if got := found(t, err); !slices.Equal(got, r.want) {
			t.Errorf("%s: got %q, want %q", name, got, r.want)
		}
		var p *contracts.Problem
		if errors.As(err, &p) && !p.Has(contracts.ProblemOverCeiling) {
			t.Errorf("%s: %s", name, p.Type)
		}
	}
}

func TestGate(t *testing.T) {
	for _, r := range []struct {
		approval contracts.ApprovalPolicy
		trust    contracts.Trust
		gates    string // for read, write, destructive
	}{
		{contracts.ApprovalAuto, contracts.TrustUntrusted, "ask ask ask"},
		{contracts.ApprovalAuto, contracts.TrustReviewed, "allow ask ask"},
		{contracts.ApprovalAuto, contracts.TrustTrusted, "allow allow ask"},
		{contracts.ApprovalAuto, contracts.TrustBuiltin, "allow allow allow"},
		{contracts.ApprovalAlways, contracts.TrustBuiltin, "ask ask ask"},
		{contracts.ApprovalNever, contracts.TrustUntrusted, "allow allow allow"},
	} {
		var got []string
		for _, effect := range []contracts.Effect{contracts.EffectRead, contracts.EffectWrite, contracts.EffectDestructive} {
			spec := contracts.ToolSpec{Approval: r.approval, Trust: r.trust, Effect: effect}
			got = append(got, string(spec.Gate()))
		}
		if strings.Join(got, " ") != r.gates {
			t.Errorf("%s, %s: got %q, want %q", r.approval, r.trust, got, r.gates)
		}
	}
}

func TestReceiptChain(t *testing.T) {
	receipt := func() *contracts.Receipt {
		return &contracts.Receipt{CallID: "c", Tool: "a@1.0.0", Attempt: 1, Status: contracts.CallOK, Args: json.RawMessage(`{"b":1,"a":2}`)}
	}
	first := receipt()
	if err := first.Seal(zeroDigest); err != nil || !first.Verify(zeroDigest) {
		t.Fatalf("sealed: %v", err)
	}
	second := receipt()
	if err := second.Seal(first.Hash); err != nil || second.Hash == first.Hash || !second.Verify(first.Hash) || second.Verify(zeroDigest) {
		t.Errorf("the second receipt does not follow the first: %v", err)
	}
	for name, change := range map[string]func(*contracts.Receipt){
		"args": func(r *contracts.Receipt) { r.Args = json.RawMessage(`{"a":2,"b":3}`) },
		"cost": func(r *contracts.Receipt) { r.CostMicroUSD = 1 },
		"hash": func(r *contracts.Receipt) { r.Hash = zeroDigest },
	} {
		changed := *first
		if change(&changed); changed.Verify(zeroDigest) {
			t.Errorf("another %s passes", name)
		}
	}
	spelled := *first
	if spelled.Args = json.RawMessage(` {"a":2.0, "b":1} `); !spelled.Verify(zeroDigest) {
		t.Error("the spelling of the arguments matters")
	}
	broken := receipt()
	if broken.Args = json.RawMessage(`{`); broken.Seal(zeroDigest) == nil {
		t.Error("broken arguments can be sealed")
	}
}

func TestPosition(t *testing.T) {
	doc := []byte("{\n  \"ä\": 1,\r\n\xff\"x\"\n}")
	for offset, want := range map[int64][2]int{
		-1: {1, 1}, 0: {1, 1}, 1: {1, 2}, 2: {2, 1}, 4: {2, 3}, 7: {2, 5}, 14: {3, 1}, 15: {3, 2}, 19: {4, 1}, 20: {4, 2}, 99: {4, 2},
	} {
		if line, column := contracts.Position(doc, offset); line != want[0] || column != want[1] {
			t.Errorf("offset %d: got %d:%d, want %d:%d", offset, line, column, want[0], want[1])
		}
	}
	if line, column := contracts.Position(nil, 5); line != 1 || column != 1 {
		t.Errorf("got %d:%d", line, column)
	}
}

func TestKinds(t *testing.T) {
	for _, kind := range contracts.Kinds() {
		if got, err := contracts.ParseKind(strings.ToUpper(string(kind))); err != nil || got != kind {
			t.Errorf("%s: got %v, %v", kind, got, err)
		}
		if len(rows[string(kind)]) == 0 {
			t.Errorf("%s has no rows", kind)
		}
	}
	if _, err := contracts.ParseKind("task"); !errors.Is(err, contracts.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
	if err := contracts.Validate("task", []byte(`{}`)); !errors.Is(err, contracts.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
}

func TestProblems(t *testing.T) {
	for _, info := range contracts.ProblemTypes() {
		p := contracts.NewProblem(info.Type, "why")
		if !p.Has(info.Type) || p.Title != info.Title || p.Status != info.Status || p.Title == "" || p.Status < 400 {
			t.Errorf("%s: %+v", info.Type, p)
		}
		if p.Error() != p.Title+": why" {
			t.Errorf("got %q", p.Error())
		}
	}
	if got := contracts.NewProblem(contracts.ProblemNotFound, "").Error(); got != "There is nothing here" {
		t.Errorf("got %q", got)
	}
	var none *contracts.Problem
	if none.Has(contracts.ProblemNotFound) {
		t.Error("no problem is a problem")
	}
	codes := contracts.Codes()
	for i, info := range codes {
		if info.Detail == "" || i > 0 && codes[i-1].Code >= info.Code {
			t.Errorf("%s: %q", info.Code, info.Detail)
		}
	}
	p := contracts.DocumentProblem(contracts.ProblemInvalidDocument, "Answer", contracts.FieldError{Pointer: "#/text", Code: contracts.CodeAnswerMismatch})
	if p.Title != "Answer is invalid" || p.Schema != "answer/v2" || p.Errors[0].Detail == "" || p.Detail != "1 problem" {
		t.Errorf("got %+v", p)
	}
}

func TestStates(t *testing.T) {
	live := []contracts.State{contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining}
	final := []contracts.State{contracts.StateSucceeded, contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted}
	for _, s := range live {
		if s.Terminal() {
			t.Errorf("%s is final", s)
		}
	}
	for _, s := range final {
		if !s.Terminal() {
			t.Errorf("%s is not final", s)
		}
	}
	if contracts.State("").Terminal() {
		t.Error("the empty state is final")
	}
	if !contracts.ReasonTokens.Exhausted() || !contracts.ReasonBranches.Exhausted() || contracts.ReasonCancel.Exhausted() || contracts.StatusReason("").Exhausted() {
		t.Error("the reasons that exhaust")
	}
	if got := (contracts.Usage{TokensIn: 3, TokensOut: 4, TokensCached: 2, TokensReasoning: 1}).Tokens(); got != 7 {
		t.Errorf("tokens: %d", got)
	}
	want := contracts.Links{Self: "/runs/run_1", Task: "/runs/run_1/task", Stream: "/runs/run_1/stream", Events: "/runs/run_1/events", Page: "/r/run_1"}
	if got := contracts.LinksOf("run_1"); got != want {
		t.Errorf("got %+v", got)
	}
	if got := fullTask().Sensitive(); !reflect.DeepEqual(got, []string{"text"}) {
		t.Errorf("sensitive: %q", got)
	}
}

// TestEventTypes makes sure that each body says its type.
func TestEventTypes(t *testing.T) {
	for want, data := range map[contracts.EventType]contracts.EventData{
		contracts.EventStatus: new(contracts.StatusData), contracts.EventThought: new(contracts.ThoughtData),
		contracts.EventToken: new(contracts.TokenData), contracts.EventApproval: new(contracts.ApprovalData),
		contracts.EventVerdict: new(contracts.VerdictData), contracts.EventError: new(contracts.ErrorData),
		contracts.EventDone: new(contracts.DoneData), contracts.EventToolStart: new(contracts.EngineToolStart),
		contracts.EventToolEnd: new(contracts.EngineToolEnd), contracts.EventBudget: new(contracts.EngineBudget),
	} {
		if got := data.EventType(); got != want {
			t.Errorf("%T: got %s", data, got)
		}
	}
}

// TestAtOnce decodes and validates from many goroutines; it is for the race detector.
func TestAtOnce(t *testing.T) {
	schema := compile(t, `{"type":"object","required":["a"]}`)
	doc := contractstest.Document(fullTask())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if _, err := contracts.Decode[contracts.TaskSpec](doc); err != nil {
					t.Error(err)
				}
				if got := schema.Validate([]byte(`{}`)); len(got) != 1 {
					t.Errorf("got %v", got)
				}
				if err := contracts.Validate(contracts.KindToolSpec, []byte(tool(`"name":" "`))); err == nil {
					t.Error("valid")
				}
			}
		})
	}
	all.Wait()
}
