package contracts_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"axiom25/contracts"
	v1 "axiom25/contracts/v1"
)

// TestPlans compiles every struct that is read, which walks each tag of each field against the rules table.
func TestPlans(t *testing.T) {
	used := make(map[string]bool)
	for _, typ := range []reflect.Type{
		reflect.TypeFor[contracts.TaskSpec](), reflect.TypeFor[contracts.Budget](), reflect.TypeFor[contracts.VerifyContract](),
		reflect.TypeFor[contracts.ToolSpec](), reflect.TypeFor[contracts.RunEvent](), reflect.TypeFor[contracts.EngineEvent](),
		reflect.TypeFor[contracts.StatusData](), reflect.TypeFor[contracts.ThoughtData](), reflect.TypeFor[contracts.TokenData](),
		reflect.TypeFor[contracts.ToolStartData](), reflect.TypeFor[contracts.ApprovalData](), reflect.TypeFor[contracts.ToolEndData](),
		reflect.TypeFor[contracts.BudgetData](), reflect.TypeFor[contracts.VerdictData](), reflect.TypeFor[contracts.ErrorData](),
		reflect.TypeFor[contracts.DoneData](), reflect.TypeFor[contracts.Receipt](), reflect.TypeFor[contracts.Limits](),
		reflect.TypeFor[contracts.EngineToolStart](), reflect.TypeFor[contracts.EngineToolEnd](), reflect.TypeFor[contracts.EngineBudget](),
		reflect.TypeFor[contracts.Answer](), reflect.TypeFor[contracts.CancelRequest](), reflect.TypeFor[contracts.ApprovalDecision](),
		reflect.TypeFor[contracts.ForkRequest](), reflect.TypeFor[contracts.ClaimRequest](),
		reflect.TypeFor[v1.TaskSpec](), reflect.TypeFor[v1.Budget](), reflect.TypeFor[v1.VerifyContract](), reflect.TypeFor[v1.ToolSpec](),
	} {
		keywords, err := contracts.RuleKeywords(typ)
		if err != nil {
			t.Errorf("%v", err)
		}
		for place, keyword := range keywords {
			if len(keyword) == 0 {
				t.Errorf("%s %s has no JSON Schema keyword", typ, place)
			}
			if _, err := json.Marshal(keyword); err != nil {
				t.Errorf("%s %s: %v", typ, place, err)
			}
			_, tag, _ := strings.Cut(place, " ")
			name, _, _ := strings.Cut(strings.TrimPrefix(tag, "keys "), "=")
			used[name] = true
		}
	}
	for tag := range contracts.TagRules() {
		if !used[tag] {
			t.Errorf("rule %q stands in the table and in no struct", tag)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	type element struct {
		Name string `json:"name"`
	}
	type recursive struct {
		Next *recursive `json:"next,omitempty"`
	}
	type many struct {
		A, B int `json:"-"`
	}
	for name, v := range map[string]any{
		"a list without a limit": struct {
			A []string `json:"a" validate:"unique"`
		}{},
		"a map without a limit": struct {
			A map[string]string `json:"a"`
		}{},
		"a rule that is not in the table": struct {
			A string `json:"a" validate:"email"`
		}{},
		"a rule of another type": struct {
			A string `json:"a" validate:"gte=1"`
		}{},
		"a rule without its argument": struct {
			A int `json:"a" validate:"gte"`
		}{},
		"a rule with an argument too many": struct {
			A string `json:"a" validate:"ident=3"`
		}{},
		"a version that is no number": struct {
			A int `json:"a" validate:"version=one"`
		}{},
		"a choice of nothing": struct {
			A string `json:"a" validate:"oneof="`
		}{},
		"an unknown sibling": struct {
			A []element `json:"a" validate:"max=3,unique=Title,dive"`
		}{},
		"a sibling of texts": struct {
			A []string `json:"a" validate:"max=3,unique=Name"`
		}{},
		"objects that nobody looks into": struct {
			A []element `json:"a" validate:"max=3"`
		}{},
		"keys without an end": struct {
			A map[string]string `json:"a" validate:"max=3,dive,keys,ident"`
		}{},
		"rules after the end": struct {
			A string `json:"a" validate:"dive,max=3"`
		}{},
		"an or": struct {
			A string `json:"a" validate:"ident|digest"`
		}{},
		"a field without a name": struct{ A string }{},
		"a field that is hidden": many{},
		"a type without JSON": struct {
			A chan int `json:"a"`
		}{},
		"keys that are no texts": struct {
			A map[int]string `json:"a" validate:"max=3"`
		}{},
		"an option of json": struct {
			A int `json:"a,string"`
		}{},
		"omitnil on a value": struct {
			A int `json:"a,omitempty" validate:"omitnil,gte=1"`
		}{},
		"omitempty on a pointer": struct {
			A *int `json:"a,omitempty" validate:"omitempty,gte=1"`
		}{},
		"a default that is no number": struct {
			A int `json:"a" default:"one"`
		}{},
		"a default of a list": struct {
			A []string `json:"a" default:"[]" validate:"max=1"`
		}{},
		"a default of a pointer": struct {
			A *int `json:"a" default:"1"`
		}{},
		"a default of an object": struct {
			A element `json:"a" default:"{}"`
		}{},
		"a default with members": struct {
			A element `json:"a" default:"{\"name\":1}"`
		}{},
		"optional with a default": struct {
			A int `json:"a,omitempty" default:"1"`
		}{},
		"itself": recursive{},
		"a name twice": struct {
			element
			Name string `json:"name"`
		}{},
		"no struct": 5,
		"the fault of a field's struct": struct {
			A struct {
				B []int `json:"b"`
			} `json:"a"`
		}{},
		"the fault of an embedded struct": struct {
			many
		}{},
		"the fault of an element": struct {
			A []chan int `json:"a" validate:"max=3"`
		}{},
	} {
		if err := contracts.CompilePlan(reflect.TypeOf(v)); !errors.Is(err, contracts.ErrPlan) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestDecodeOfAnotherStruct shows what a programmer gets who asks for what is no contract.
func TestDecodeOfAnotherStruct(t *testing.T) {
	type list struct {
		A []int `json:"a"`
	}
	_, err := contracts.Decode[list]([]byte(`{"a":[1]}`))
	var p *contracts.Problem
	if !errors.As(err, &p) || !p.Has(contracts.ProblemInternal) {
		t.Errorf("got %v", err)
	}
}
