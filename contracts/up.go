package contracts

import (
	"encoding/json"
	"maps"
	"slices"

	v1 "axiom25/contracts/v1"
)

// earlier is a document of an older version on its way to the current one.
type earlier struct {
	// sent points to the frozen struct that the document is read into.
	sent any
	// lift writes what was read to the current struct. It is total: it takes what breaks the rules as well.
	lift func()
	// names are what the author calls the members that the current struct calls otherwise.
	names map[string]string
	// maxBytes and maxDepth bound the document, so that what it becomes stays within the current bounds.
	maxBytes, maxDepth int
}

// earlierOf returns how a document of an older version becomes the struct that v points to, or nil where there is no
// such version of it.
func earlierOf(v any, version int64) *earlier {
	if version != v1.Version {
		return nil
	}
	switch v := v.(type) {
	case *TaskSpec:
		return fromV1(v, UpTaskSpec)
	case *Budget:
		return fromV1(v, UpBudget)
	case *VerifyContract:
		return fromV1(v, UpVerifyContract)
	case *ToolSpec:
		return fromV1(v, UpToolSpec)
	}
	return nil
}

func fromV1[Old, New any](v *New, up func(*Old) New) *earlier {
	sent := new(Old)
	return &earlier{
		sent: sent, lift: func() { *v = up(sent) }, names: namesInV1(),
		maxBytes: v1.MaxDocumentBytes, maxDepth: v1.MaxDepth,
	}
}

// namesInV1 returns what version 1 calls the members that have another name now.
func namesInV1() map[string]string {
	return map[string]string{
		"max_tokens":        "tokens",
		"max_wall_ms":       "time_s",
		"branch_width":      "width",
		"reflection_passes": "reflection",
		"refuse_below":      "refusal_threshold",
		"trust":             "trust_level",
	}
}

// defaultPassAt is what pass_at is where it is absent. Version 1 did not have the field.
const defaultPassAt = 0.8

// millisecondsPerSecond turns time_s into max_wall_ms.
const millisecondsPerSecond = 1000

// UpTaskSpec returns a task of version 1 as it is written now. The inputs stand in the order of their names, and the
// preferred engine is the only one named. The result shares memory with old.
func UpTaskSpec(old *v1.TaskSpec) TaskSpec {
	task := TaskSpec{
		SchemaVersion: Version,
		Goal:          old.Goal,
		Backend:       BackendPolicy{Fallback: FallbackListed},
		Profile:       Profile(old.Profile),
		Labels:        old.Labels,
	}
	if old.Inputs != nil {
		task.Inputs = make([]Input, 0, len(old.Inputs))
	}
	for _, name := range slices.Sorted(maps.Keys(old.Inputs)) {
		task.Inputs = append(task.Inputs, upInput(name, old.Inputs[name]))
	}
	if old.AllowedTools != nil {
		task.AllowedTools = make([]ToolRef, len(old.AllowedTools))
	}
	for i, ref := range old.AllowedTools {
		task.AllowedTools[i] = ToolRef(ref)
	}
	if old.BackendPref != "" {
		task.Backend.Prefer = []string{old.BackendPref}
	}
	if old.Budget != nil {
		budget := UpBudget(old.Budget)
		task.Budget = &budget
	}
	if old.Verification != nil {
		contract := UpVerifyContract(old.Verification)
		task.Verification = &contract
	}
	return task
}

// upInput returns a member of the object that inputs were: text where it is a string. One without content, which no
// document has, becomes null, so that an input always has one.
func upInput(name string, content json.RawMessage) Input {
	if content == nil {
		content = json.RawMessage("null")
	}
	var text string
	if !isJSON(content, '"') || json.Unmarshal(content, &text) != nil {
		return Input{Name: name, Data: content}
	}
	return Input{Name: name, Text: &text}
}

// UpBudget returns a budget of version 1 as it is written now. An embedded one stays without a version. The result
// shares memory with old.
func UpBudget(old *v1.Budget) Budget {
	budget := Budget{
		SchemaVersion:    upVersion(old.SchemaVersion),
		MaxTokens:        old.Tokens,
		BranchWidth:      old.Width,
		ReflectionPasses: old.Reflection,
	}
	if old.TimeS != nil {
		wall := *old.TimeS * millisecondsPerSecond
		budget.MaxWallMS = &wall
	}
	return budget
}

// upVersion keeps the version of an embedded contract absent.
func upVersion(old int) int {
	if old == 0 {
		return 0
	}
	return Version
}

// UpVerifyContract returns a contract of version 1 as it is written now. A refusal threshold above the default of
// pass_at raises it with it: what is not withheld may pass. The result shares memory with old.
func UpVerifyContract(old *v1.VerifyContract) VerifyContract {
	contract := VerifyContract{
		SchemaVersion:  upVersion(old.SchemaVersion),
		PassAt:         max(defaultPassAt, old.RefusalThreshold),
		RefuseBelow:    old.RefusalThreshold,
		OnError:        CheckErrorFail,
		OnModelRefusal: ModelRefusalFail,
		Release:        ReleaseStream,
	}
	if old.Assertions != nil {
		contract.Assertions = make([]Assertion, len(old.Assertions))
	}
	for i, a := range old.Assertions {
		contract.Assertions[i] = Assertion{
			ID: a.ID, Type: AssertionType(a.Type), Target: Target(a.Target), Value: a.Value, Negate: a.Negate,
			Severity: Severity(a.Severity), Weight: a.Weight,
		}
	}
	if old.Scorers != nil {
		contract.Scorers = make([]Scorer, len(old.Scorers))
	}
	for i, s := range old.Scorers {
		contract.Scorers[i] = Scorer{
			ID: s.ID, Type: ScorerType(s.Type), Rubric: s.Rubric, Reference: s.Reference, Labels: s.Labels,
			PassingLabels: s.PassingLabels, Backend: s.Backend, Weight: s.Weight, Floor: s.Floor, Samples: s.Samples,
		}
	}
	return contract
}

// UpToolSpec returns a tool of version 1 as it is written now. The result shares memory with old.
func UpToolSpec(old *v1.ToolSpec) ToolSpec {
	return ToolSpec{
		SchemaVersion: Version,
		Name:          old.Name,
		Version:       old.Version,
		Description:   old.Description,
		InputSchema:   old.InputSchema,
		OutputSchema:  old.OutputSchema,
		Effect:        Effect(old.Effect),
		Idempotent:    old.Idempotent,
		OpenWorld:     old.OpenWorld,
		Transport:     Transport{Type: TransportType(old.Transport.Type), URL: old.Transport.URL},
		Auth: Auth{
			Type: AuthType(old.Auth.Type), SecretRef: old.Auth.SecretRef, In: old.Auth.In, Name: old.Auth.Name,
			Issuer: old.Auth.Issuer, Scopes: old.Auth.Scopes,
		},
		Trust:    upTrust(old.TrustLevel),
		Approval: ApprovalPolicy(old.Approval),
		Limits: ToolLimits{
			TimeoutMS: old.Limits.TimeoutMS, MaxAttempts: old.Limits.MaxAttempts, MaxResultBytes: old.Limits.MaxResultBytes,
		},
		Redact: old.Redact,
	}
}

// upTrust returns the level of trust that stands in the same place; what is no level is not trusted.
func upTrust(level string) Trust {
	switch level {
	case "medium":
		return TrustReviewed
	case "high":
		return TrustTrusted
	}
	return TrustUntrusted
}
