package contracts

// InvalidDocument returns the problem of a document that Decode accepts and that the server's state makes
// wrong. document names the struct, such as "Answer". Errors without a detail get that of their code.
func InvalidDocument(document string, errs ...FieldError) *Problem {
	var found findings
	for _, e := range errs {
		if e.Detail == "" {
			e.Detail = detail(e.Code, e.Params)
		}
		found.list = append(found.list, e)
	}
	return found.problem(ProblemInvalidDocument, document+" is invalid", schemaName(document))
}
