// Package contractstest builds valid contract values, for tests and for the console's gallery. Whatever it builds is
// the same every time: no clock, no randomness.
package contractstest

import (
	"encoding/json"
	"fmt"

	"axiom25/contracts"
)

// Start is the time at which every built run begins: 2026-01-02T03:04:05.678Z.
const Start contracts.Time = 1767323045678

// RunID returns the n-th run id, n at least 0; ids of higher numbers are greater.
func RunID(n int) contracts.RunID {
	return contracts.RunID(fmt.Sprintf("run_01kdy7%020d", n))
}

// ApprovalID returns the n-th approval id, n within 0..9999.
func ApprovalID(n int) contracts.ApprovalID {
	return contracts.ApprovalID(fmt.Sprintf("apr_01kdy70000000000000000%04d", n))
}

// TaskSpec returns a valid task: a question about the planets that one tool answers and one assertion checks. The
// options change it.
func TaskSpec(options ...func(*contracts.TaskSpec)) *contracts.TaskSpec {
	task := &contracts.TaskSpec{
		SchemaVersion: contracts.Version,
		Goal:          "Which planet has the most moons, and how many?",
		Inputs: []contracts.Input{{
			Name: "planets",
			Data: json.RawMessage(`[{"name":"Earth","moons":1},{"name":"Jupiter","moons":97},{"name":"Saturn","moons":274}]`),
		}},
		AllowedTools: []contracts.ToolRef{"sql_query@1.0.0"},
		Backend:      contracts.BackendPolicy{Fallback: contracts.FallbackListed},
		Profile:      contracts.ProfileBalanced,
		Verification: VerifyContract(),
		Labels:       map[string]string{"team": "astronomy"},
	}
	for _, option := range options {
		option(task)
	}
	return task
}

// FullTaskSpec returns a valid task that has every field; its document has some 1.5 kB.
func FullTaskSpec() *contracts.TaskSpec {
	digest := contracts.DigestText("x")
	return TaskSpec(func(t *contracts.TaskSpec) {
		t.Inputs = []contracts.Input{
			{Name: "text", Text: new("x"), MediaType: "text/csv", Digest: digest, Sensitive: true},
			{Name: "data", Data: json.RawMessage(`{"a":[null,1.5,"x"],"b":{}}`)},
			{Name: "uri", URI: "https://example.org/planets.csv?x=%20#f", Digest: digest},
		}
		t.AllowedTools = []contracts.ToolRef{"sql_query", "publish@1.0.0"}
		t.Backend = contracts.BackendPolicy{
			Prefer: []string{"local", "external"}, Fallback: contracts.FallbackAny,
			Needs: []contracts.Capability{contracts.CapabilityTools}, Seed: new(int64(7)),
		}
		t.Profile = contracts.ProfileMax
		t.Budget = &contracts.Budget{
			SchemaVersion: 2, MaxTokens: new(int64(10)), MaxWallMS: new(int64(1000)),
			MaxActiveMS: new(int64(1000)), BranchWidth: new(int64(64)),
			ReflectionPasses: new(int64(0)), MaxToolCalls: new(int64(0)),
			MaxCostMicroUSD: new(int64(0)), WarnPct: new(int64(99)),
			OnExhausted: new(contracts.ExhaustedFinalize), ReserveTokens: new(int64(9)),
		}
		t.Verification.SchemaVersion = 2
		t.Verification.Assertions = append(t.Verification.Assertions, contracts.Assertion{
			ID: "calls", Type: contracts.AssertToolCalled, Target: "tool:sql_query", Value: json.RawMessage(`{"min":1,"max":2}`),
			Negate: true, Severity: contracts.SeverityShould, Weight: new(int64(3)),
		})
		t.Verification.Scorers = []contracts.Scorer{
			{ID: "s", Type: contracts.ScoreSimilarity, Reference: new(""), Weight: 1, Samples: 1},
			{ID: "r", Type: contracts.ScoreRubric, Rubric: "Is it right?", Backend: "judge", Weight: 5, Samples: 3, Floor: new(0.25)},
			{ID: "l", Type: contracts.ScoreLabel, Labels: []string{"good", "bad"}, PassingLabels: []string{"good"}, Weight: 1, Samples: 9},
		}
	})
}

// VerifyContract returns a valid contract with one assertion, that the answer contains "Saturn". The options change
// it.
func VerifyContract(options ...func(*contracts.VerifyContract)) *contracts.VerifyContract {
	contract := &contracts.VerifyContract{
		Assertions: []contracts.Assertion{{
			ID: "names-saturn", Type: contracts.AssertContains, Target: "output",
			Value: json.RawMessage(`"Saturn"`), Severity: contracts.SeverityMust,
		}},
		PassAt:         0.8,
		OnError:        contracts.CheckErrorFail,
		OnModelRefusal: contracts.ModelRefusalFail,
		Release:        contracts.ReleaseStream,
	}
	for _, option := range options {
		option(contract)
	}
	return contract
}

// ToolSpec returns a valid builtin tool, sql_query@1.0.0. The options change it.
func ToolSpec(options ...func(*contracts.ToolSpec)) *contracts.ToolSpec {
	tool := &contracts.ToolSpec{
		SchemaVersion: contracts.Version,
		Name:          "sql_query",
		Version:       "1.0.0",
		Description:   "Runs one SELECT over the task's tables.",
		InputSchema: json.RawMessage(
			`{"type":"object","properties":{"query":{"type":"string"}},"required":["query"],"additionalProperties":false}`),
		Effect:     contracts.EffectRead,
		Idempotent: true,
		OpenWorld:  false,
		Transport:  contracts.Transport{Type: contracts.TransportBuiltin},
		Auth:       contracts.Auth{Type: contracts.AuthNone},
		Trust:      contracts.TrustBuiltin,
		Approval:   contracts.ApprovalAuto,
		Limits:     contracts.ToolLimits{TimeoutMS: 30_000, MaxAttempts: 1, MaxResultBytes: 65_536},
	}
	for _, option := range options {
		option(tool)
	}
	return tool
}

// EngineTool returns a valid untrusted tool that the engine carries out itself, so that its calls ask for approval.
func EngineTool(name string) *contracts.ToolSpec {
	return ToolSpec(func(t *contracts.ToolSpec) {
		t.Name, t.Description = name, "Carried out by the engine."
		t.InputSchema = json.RawMessage(`{"type":"object"}`)
		t.Effect, t.Idempotent, t.OpenWorld = contracts.EffectWrite, false, true
		t.Transport.Type, t.Trust = contracts.TransportEngine, contracts.TrustUntrusted
	})
}

// Limits returns the balanced profile's limits. The options change them.
func Limits(options ...func(*contracts.Limits)) contracts.Limits {
	limits := contracts.ProfileLimits(contracts.ProfileBalanced)
	for _, option := range options {
		option(&limits)
	}
	return limits
}

// Document returns v as the bytes that a client would send. It panics when v cannot be encoded, which no built value
// is.
func Document(v any) []byte {
	b, err := contracts.Encode(v)
	if err != nil {
		panic(err)
	}
	return b
}
