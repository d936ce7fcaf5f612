package contracts

// DocumentProblem returns a problem of type t with a document that Decode accepts and that the server's state, or an
// engine, makes wrong. document names the struct, such as "Answer". Errors without a detail get that of their code.
// Without errors it is nil.
func DocumentProblem(t ProblemType, document string, errs ...FieldError) *Problem {
	var found findings
	for _, e := range errs {
		if e.Detail == "" {
			e.Detail = detail(e.Code, e.Params)
		}
		found.list = append(found.list, e)
	}
	title := ""
	if t == ProblemInvalidDocument {
		title = document + " is invalid"
	}
	return found.problem(t, title, schemaName(document))
}
