package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

func toolNamed(name, version string, change func(*contracts.ToolSpec)) contracts.ToolEntry {
	spec := contracts.ToolSpec{
		SchemaVersion: 2, Name: name, Version: version, Description: "Looks things up.", InputSchema: json.RawMessage(`{"type":"object"}`),
		Effect: contracts.EffectRead, Transport: contracts.Transport{Type: contracts.TransportEngine},
		Auth: contracts.Auth{Type: contracts.AuthNone}, Trust: contracts.TrustUntrusted, Approval: contracts.ApprovalAuto,
		Limits: contracts.ToolLimits{TimeoutMS: 1000, MaxAttempts: 1, MaxResultBytes: 1000},
	}
	if change != nil {
		change(&spec)
	}
	return contracts.ToolEntry{Spec: spec}
}

func TestGatesSayWhatStandsBeforeACallAtEachTrust(t *testing.T) {
	t.Parallel()
	const allow, ask, none = contracts.GateAllow, contracts.GateAsk, contracts.Gate("")
	for name, test := range map[string]struct {
		effect   contracts.Effect
		approval contracts.ApprovalPolicy
		builtin  bool
		want     [4]contracts.Gate // untrusted, reviewed, trusted, builtin
		why      [4]string         // what the reasons contain
	}{
		"reads": {
			effect: contracts.EffectRead, approval: contracts.ApprovalAuto, want: [4]contracts.Gate{ask, allow, allow, none},
			why: [4]string{"always asked", "only where it reads", "only where it destroys", "#/trust"},
		},
		"writes": {
			effect: contracts.EffectWrite, approval: contracts.ApprovalAuto, want: [4]contracts.Gate{ask, ask, allow, none},
			why: [4]string{"always asked", "effect is write", "effect is write", "#/trust"},
		},
		"destroys": {
			effect: contracts.EffectDestructive, approval: contracts.ApprovalAuto, want: [4]contracts.Gate{ask, ask, ask, none},
			why: [4]string{"always asked", "effect is destructive", "effect is destructive", "#/trust"},
		},
		"always": {
			effect: contracts.EffectRead, approval: contracts.ApprovalAlways, want: [4]contracts.Gate{ask, ask, ask, none},
			why: [4]string{"approval always", "approval always", "approval always", "#/trust"},
		},
		"never": {
			effect: contracts.EffectRead, approval: contracts.ApprovalNever, want: [4]contracts.Gate{none, allow, allow, none},
			why: [4]string{"#/approval", "approval never", "approval never", "#/trust"},
		},
		"the server's own": {
			effect: contracts.EffectDestructive, approval: contracts.ApprovalAuto, builtin: true, want: [4]contracts.Gate{none, none, none, allow},
			why: [4]string{"#/trust", "#/trust", "#/trust", "never asked"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entry := toolNamed("look_up", "1.0.0", func(s *contracts.ToolSpec) {
				s.Effect, s.Approval, s.Trust = test.effect, test.approval, contracts.TrustReviewed
				if test.builtin {
					s.Transport.Type, s.Trust = contracts.TransportBuiltin, contracts.TrustBuiltin
				}
			})
			for i, g := range store.Gates(&entry.Spec) {
				if g.Gate != test.want[i] || !strings.Contains(g.Why, test.why[i]) {
					t.Errorf("%s: %q because %q, want %q because of %q", g.Trust, g.Gate, g.Why, test.want[i], test.why[i])
				}
				if g.Stands != (g.Trust == entry.Spec.Trust) {
					t.Errorf("%s: stands %v", g.Trust, g.Stands)
				}
			}
		})
	}
}

// groupsOfTwo are two tools, of which one has three versions.
func groupsOfTwo() []store.ToolGroup {
	return store.GroupTools([]contracts.ToolEntry{
		toolNamed("ask", "1.0.2", nil), toolNamed("ask", "1.0.1", nil), toolNamed("ask", "1.0.0", func(s *contracts.ToolSpec) { s.Description = "Old." }),
		toolNamed("publish", "2.0.0", func(s *contracts.ToolSpec) { s.Effect = contracts.EffectWrite }),
	})
}

func TestVersionsOfOneNameStandTogetherTheHighestFirst(t *testing.T) {
	t.Parallel()
	groups := groupsOfTwo()
	if len(groups) != 2 || groups[0].Name != "ask" || len(groups[0].Versions) != 3 || len(groups[1].Versions) != 1 {
		t.Fatalf("grouped as %+v", groups)
	}
	for ref, want := range map[contracts.ToolRef]struct {
		version string
		highest bool
	}{
		"ask": {"1.0.2", true}, "ask@1.0.2": {"1.0.2", true}, "ask@1.0.0": {"1.0.0", false}, "publish": {"2.0.0", true},
		"ask@9.0.0": {}, "nothing": {}, "": {},
	} {
		entry, highest := store.FindTool(groups, ref)
		got := ""
		if entry != nil {
			got = entry.Spec.Version
		}
		if got != want.version || highest != want.highest {
			t.Errorf("%q is %q, highest %v; want %q, %v", ref, got, highest, want.version, want.highest)
		}
	}
}

func TestToolsAreFoundByEveryWordThatOneVersionSays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": {"ask", "publish"}, "ASK": {"ask"}, "write": {"publish"}, "looks engine": {"ask", "publish"}, "old": {"ask"},
		"old 1.0.2": nil, "ask@1.0.1": {"ask"}, "reviewed": nil,
	} {
		var got []string
		for _, g := range store.SearchTools(groupsOfTwo(), text) {
			got = append(got, g.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
}

func TestRaiseVersionTakesTheNextOneThatIsFree(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"1.0.0": "1.0.3", "1.0.2": "1.0.3", "1.0.3": "1.0.4", "1.1.9": "1.1.10", "1.1.0-rc.1": "1.1.0", "1.0.2-rc.1+b-1": "1.0.3",
		"1.0.5+build": "1.0.6", "1.0": "", "": "", "1.0.x": "", "1.0.99999999999": "",
	} {
		text := `{ "name":"ask",  "version": "` + from + `", "effect":"read" }`
		raised, version, err := store.RaiseVersion(groupsOfTwo(), text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is raised to %q", from, version)
			}
			continue
		}
		if whole := strings.Replace(text, from, want, 1); err != nil || version != want || raised != whole {
			t.Errorf("%q: %q, %v in %s; want %q", from, version, err, raised, want)
		}
	}
}

func TestWhatTheServerWouldStoreIsJudgedToo(t *testing.T) {
	t.Parallel()
	const head = `{"schema_version":2,"name":"a","version":"1.0.0","description":"b","input_schema":{"type":"object"},"effect":"read"`
	for text, want := range map[string]struct {
		claims contracts.Trust
		valid  bool
	}{
		head + `}`:                   {contracts.TrustUntrusted, true},
		head + `,"trust":"trusted"}`: {contracts.TrustTrusted, true},
		head + `,"trust":"trusted","approval":"never"}`:   {contracts.TrustTrusted, false},
		head + `,"trust":"reviewed","approval":"always"}`: {contracts.TrustReviewed, true},
	} {
		if j := store.Judge(contracts.KindToolSpec, text); !j.Valid {
			t.Errorf("%s is not valid: %v", text, j.Problem)
		}
		if claims, j := store.TrustIn(text), store.JudgeStored(text); claims != want.claims || j.Valid != want.valid {
			t.Errorf("%s claims %s, valid as stored: %v", text, claims, j.Valid)
		}
	}
}
