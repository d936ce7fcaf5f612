package contracts_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// plant is one thing that can be wrong in a document.
type plant struct {
	// good and bad are what stands in the template's place; a bad one has here in front of where the problem points,
	// unless it is about what is missing.
	good, bad string
	pointer   string
	code      contracts.Code
	related   []string
	guess     string
}

// here marks a place in a planted document.
const here = "◆"

// secret is part of many bad values, and must not come back.
const secret = "HUNTER2"

// taskPlants are 23 different things that can be wrong in one task, in the order of taskTemplate's places.
var taskPlants = []plant{
	{`"goal":"Count."`, `"goal":` + here + `" \t\u00a0"`, "#/goal", contracts.CodeNotBlank, nil, ""},
	{``, `,` + here + `"gaol":"` + secret + `"`, "#/gaol", contracts.CodeUnknownField, nil, "goal"},
	{`"a"`, here + `"-` + secret + `"`, "#/inputs/0/name", contracts.CodeIdent, nil, ""},
	{
		`"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"`, here + `"sha256:` + strings.Repeat("0", 64) + `"`,
		"#/inputs/0/digest", contracts.CodeDigestMismatch,
		[]string{"#/inputs/0/text"},
		"",
	},
	{`{"name":"b","text":"x"}`, here + `{"name":"b","text":"` + secret + `","data":1}`, "#/inputs/1", contracts.CodeExactlyOne, nil, ""},
	{
		`,"digest":"sha256:` + strings.Repeat("0", 64) + `"`, ``,
		"#/inputs/2/digest", contracts.CodeRequiredWith,
		[]string{"#/inputs/2/uri"},
		"",
	},
	{`"k":2`, `"k":{"k":1},` + here + `"k":"` + secret + `"`, "#/inputs/3/data/k", contracts.CodeDuplicateKey, nil, ""},
	{`1`, here + `9007199254740993`, "#/inputs/4/data/0", contracts.CodeNumber, nil, ""},
	{`"f"`, here + `"b"`, "#/inputs/5/name", contracts.CodeUnique, []string{"#/inputs/1/name"}, ""},
	{`"sum"`, here + `"a b ` + secret + `"`, "#/allowed_tools/1", contracts.CodeToolRef, nil, ""},
	{`"listed"`, here + `"lsited"`, "#/backend/fallback", contracts.CodeOneOf, nil, "listed"},
	{`"tools"`, here + `"Tool"`, "#/backend/needs/0", contracts.CodeOneOf, nil, "tools"},
	{`7`, here + `"` + secret + `"`, "#/backend/seed", contracts.CodeType, nil, ""},
	{`1000`, here + `0`, "#/budget/max_tokens", contracts.CodeGte, nil, ""},
	{`60000`, here + `100.5`, "#/budget/max_wall_ms", contracts.CodeInteger, nil, ""},
	{`80`, here + `100`, "#/budget/warn_pct", contracts.CodeLte, nil, ""},
	{``, `,"reserve_tokens":` + here + `5`, "#/budget/reserve_tokens", contracts.CodeReserveNeedsFinalize, []string{"#/budget/on_exhausted"}, ""},
	{`"^a$"`, here + `"` + secret + `("`, "#/verification/assertions/0/value", contracts.CodeValueRegexp, nil, ""},
	{`"output"`, here + `"usage"`, "#/verification/assertions/1/target", contracts.CodeTargetType, []string{"#/verification/assertions/1/type"}, ""},
	{`,"rubric":"Kind?"`, ``, "#/verification/scorers/0/rubric", contracts.CodeRequiredWith, []string{"#/verification/scorers/0/type"}, ""},
	{`"id":"t",`, ``, "#/verification/scorers/1/id", contracts.CodeRequired, nil, ""},
	{`0.25`, here + `0.75`, "#/verification/refuse_below", contracts.CodeRefuseOverPass, []string{"#/verification/pass_at"}, ""},
	{`"b"`, here + `null`, "#/labels/team", contracts.CodeNull, nil, ""},
}

// taskTemplate has a %s for each of taskPlants.
const taskTemplate = `{"schema_version":2,
 %s%s,
 "inputs":[{"name":%s,"text":"x","digest":%s},
  %s,
  {"name":"c","uri":"https://example.org/c"%s},
  {"name":"d","data":{%s}},
  {"name":"e","data":[%s]},
  {"name":%s,"data":2}],
 "allowed_tools":["a",%s],
 "backend":{"fallback":%s,"needs":[%s],"seed":%s},
 "budget":{"max_tokens":%s,"max_wall_ms":%s,"warn_pct":%s,"on_exhausted":"stop"%s},
 "verification":{"assertions":[{"id":"x","type":"matches","value":%s},{"id":"y","type":"contains","target":%s,"value":"z"}],
  "scorers":[{"id":"s","type":"rubric"%s},{%s"type":"exact","reference":"r"}],
  "pass_at":0.5,"refuse_below":%s},
 "labels":{"team":%s}}`

// planted is a document with known problems.
type planted struct {
	doc    string
	plants []plant
	// offsets are where the problems point, -1 where what they are about is missing.
	offsets []int64
}

// plantInto fills a template with what is wrong, as far as wanted says so, and with what is right.
func plantInto(template string, plants []plant, wanted func(i int) bool) planted {
	var p planted
	for i, part := range strings.Split(template, "%s") {
		p.doc += part
		switch {
		case i == len(plants):
		case !wanted(i):
			p.doc += plants[i].good
		default:
			before, after, marked := strings.Cut(plants[i].bad, here)
			offset := int64(-1)
			if marked {
				offset = int64(len(p.doc) + len(before))
			}
			p.doc += before + after
			p.plants, p.offsets = append(p.plants, plants[i]), append(p.offsets, offset)
		}
	}
	return p
}

// plantedTask is a task with all 23 problems, or the first few.
func plantedTask(n int) planted {
	return plantInto(taskTemplate, taskPlants, func(i int) bool { return i < n })
}

// TestPlantedProblemsAreAllReported plants problems of many kinds into one document, and expects each of them at once, where
// it is.
func TestPlantedProblemsAreAllReported(t *testing.T) {
	for _, c := range []struct {
		kind     contracts.Kind
		template string
		plants   []plant
		count    int
	}{
		{contracts.KindTaskSpec, taskTemplate, taskPlants, 23},
		{contracts.KindToolSpec, toolTemplate, toolPlants, 12},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			all := plantInto(c.template, c.plants, func(int) bool { return true })
			if len(all.plants) != c.count {
				t.Fatalf("%d problems are planted, want %d", len(all.plants), c.count)
			}
			checkPlanted(t, c.kind, all)
			for i := range c.plants { // alone, so that each is a problem of its own
				checkPlanted(t, c.kind, plantInto(c.template, c.plants, func(j int) bool { return j == i }))
			}
			none := plantInto(c.template, c.plants, func(int) bool { return false })
			if err := contracts.Validate(c.kind, []byte(none.doc)); err != nil {
				t.Errorf("without problems: %s", contractstest.Document(err))
			}
		})
	}
}

// checkPlanted expects exactly the planted problems, each with all that it says.
func checkPlanted(t *testing.T, kind contracts.Kind, planted planted) {
	t.Helper()
	var p *contracts.Problem
	if err := contracts.Validate(kind, []byte(planted.doc)); !errors.As(err, &p) {
		t.Fatalf("got %v", err)
	}
	var got, want []string
	for _, e := range p.Errors {
		offset := int64(-1)
		if e.Offset != nil {
			offset = *e.Offset
		}
		guess, _ := e.Params["did_you_mean"].(string)
		got = append(got, fmt.Sprint(e.Pointer, " ", e.Code, " at ", offset, " with ", e.Related, " meant ", guess))
	}
	for i, plant := range planted.plants {
		want = append(want, fmt.Sprint(plant.pointer, " ", plant.code, " at ", planted.offsets[i], " with ", plant.related, " meant ", plant.guess))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(string(contractstest.Document(p)), secret) {
		t.Errorf("the problem echoes what was sent: %s", contractstest.Document(p))
	}
}

// toolPlants are things that can be wrong in one tool, in the order of toolTemplate's places.
var toolPlants = []plant{
	{`"t"`, here + `"t ` + secret + `"`, "#/name", contracts.CodeToolName, nil, ""},
	{`"1.0.0"`, here + `"1.0"`, "#/version", contracts.CodeSemver, nil, ""},
	{`"description":"A tool.",`, ``, "#/description", contracts.CodeRequired, nil, ""},
	{`{"type":"object"}`, here + `{"type":"array"}`, "#/input_schema", contracts.CodeSchemaRoot, nil, ""},
	{`"#/$defs/a"`, here + `"https://` + secret + `"`, "#/output_schema/$ref", contracts.CodeSchemaRef, nil, ""},
	{`"read"`, here + `"raed"`, "#/effect", contracts.CodeOneOf, nil, "read"},
	{`true`, here + `"yes"`, "#/idempotent", contracts.CodeType, nil, ""},
	{``, `,` + here + `"transprot":{}`, "#/transprot", contracts.CodeUnknownField, nil, "transport"},
	{`,"url":"https://example.org/x"`, ``, "#/transport/url", contracts.CodeRequiredWith, []string{"#/transport/type"}, ""},
	{`"secret://v/k"`, here + `"` + secret + `"`, "#/auth/secret_ref", contracts.CodeSecretRef, nil, ""},
	{`1000`, here + `null`, "#/limits/timeout_ms", contracts.CodeNull, nil, ""},
	{`"/b"`, here + `"/a"`, "#/redact/1", contracts.CodeUnique, []string{"#/redact/0"}, ""},
}

const toolTemplate = `{"schema_version":2,"name":%s,"version":%s,%s
 "input_schema":%s,"output_schema":{"$ref":%s,"$defs":{"a":true}},
 "effect":%s,"idempotent":%s%s,
 "transport":{"type":"http"%s},"auth":{"type":"http_bearer","secret_ref":%s},
 "limits":{"timeout_ms":%s},"redact":["/a",%s]}`
