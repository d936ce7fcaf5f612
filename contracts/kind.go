package contracts

import (
	"errors"
	"strings"
)

// Kind names a contract that documents can be held against without a Go type at hand.
type Kind string

// The five contracts.
const (
	KindTaskSpec       Kind = "taskspec"
	KindBudget         Kind = "budget"
	KindVerifyContract Kind = "verifycontract"
	KindToolSpec       Kind = "toolspec"
	KindRunEvent       Kind = "runevent"
)

// ErrUnknownKind is returned for a name that is none of Kinds.
var ErrUnknownKind = errors.New("unknown contract")

// Kinds returns the five contracts.
func Kinds() []Kind {
	return []Kind{KindTaskSpec, KindBudget, KindVerifyContract, KindToolSpec, KindRunEvent}
}

// ParseKind returns the contract of this name, in any case, or ErrUnknownKind.
func ParseKind(name string) (Kind, error) {
	for _, k := range Kinds() {
		if strings.EqualFold(string(k), name) {
			return k, nil
		}
	}
	return "", ErrUnknownKind
}

// Validate holds one document against the contract of kind k, as strictly as Decode: a RunEvent too, of which a
// reader would ignore unknown fields. It returns nil, ErrUnknownKind or a *Problem.
func Validate(k Kind, doc []byte) error {
	var v any
	switch k {
	case KindTaskSpec:
		v = new(TaskSpec)
	case KindBudget:
		v = new(Budget)
	case KindVerifyContract:
		v = new(VerifyContract)
	case KindToolSpec:
		v = new(ToolSpec)
	case KindRunEvent:
		v = new(RunEvent)
	default:
		return ErrUnknownKind
	}
	if p := decodeDocument(doc, v, false); p != nil {
		return p
	}
	return nil
}
