package contracts

// judgeSchema returns what is wrong in a JSON Schema.
func judgeSchema(raw []byte, object bool) []FieldError {
	if len(raw) == 0 || raw[0] != '{' {
		return []FieldError{{Pointer: rootPointer, Code: CodeSchemaRoot}}
	}
	_ = object
	return nil
}
