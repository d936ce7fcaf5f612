package store

import (
	"context"
	"strings"

	"axiom25/contracts"
)

// askSchemas asks once for what the arguments have to be of calls that a human may edit. Without an answer they are checked by
// the server alone.
func (w *RunWatch) askSchemas() {
	if w.looked || w.run.Head.State.Terminal() || len(w.run.Head.Pending()) == 0 {
		return
	}
	w.looked = true
	w.ctx.Async(func() {
		list, err := w.client.Tools(context.Background())
		w.later(func() {
			if err != nil {
				w.looked = false // asked again with what comes next
				return
			}
			w.run.Schemas = schemasOf(list.Tools, w.run.Head.Header.Tools)
			w.publish()
		})
	})
}

// schemasOf compiles the schemas of the tools that a run has pinned. A definition that changed since has another digest.
func schemasOf(tools []contracts.ToolEntry, pinned map[string]contracts.Digest) map[contracts.Digest]*contracts.Schema {
	schemas := make(map[contracts.Digest]*contracts.Schema, len(pinned))
	for i := range tools {
		entry := &tools[i]
		if pinned[string(entry.Spec.Ref())] != entry.Digest {
			continue
		}
		if schema, err := contracts.CompileSchema(entry.Spec.InputSchema); err == nil {
			schemas[entry.Digest] = schema
		}
	}
	return schemas
}

// JudgeArgs holds arguments that are being typed against the schema of their tool; against none where that is nil, so that they
// have to be JSON alone.
func JudgeArgs(schema *contracts.Schema, text string) Judgement {
	if strings.TrimSpace(text) == "" {
		text = " " // nothing is not JSON either
	}
	if schema == nil {
		var err error
		if schema, err = contracts.CompileSchema([]byte("{}")); err != nil {
			return Judgement{Problem: contracts.NewProblem(contracts.ProblemInternal, err.Error())}
		}
	}
	errs := schema.Validate([]byte(text))
	if len(errs) == 0 {
		return Judgement{Valid: true}
	}
	problem := contracts.DocumentProblem(contracts.ProblemInvalidDocument, "Arguments", errs...)
	return Judgement{Problem: problem, Places: placesOf(text, problem.Errors)}
}
