package contracts

// QuickText is a function that says what a pattern says.
type QuickText struct {
	Takes func(text string) bool
	// Whole says that it takes all that the pattern takes.
	Whole bool
}

// QuickTexts returns those functions by the tags of their rules.
func QuickTexts() map[string]QuickText {
	return map[string]QuickText{
		"ident": {isIdent[string], true}, "handle": {isHandle[string], true}, "toolname": {isToolName[string], true},
		"branch": {isBranch[string], true}, "digest": {isDigest[string], true}, "runid": {isRunID[string], true},
		"approvalid": {isApprovalID[string], true}, "semver": {isSemver[string], false}, "toolref": {isToolRef[string], false},
		"notblank": {isNotBlank[string], false}, "target": {isTarget[string], false},
	}
}

// MatchesRule holds a text against the pattern of a rule.
func MatchesRule(tag, text string) bool { return matches(tag, text) }

// ScanText reads a whole document as a text.
func ScanText(doc string) (text string, ok bool) {
	s := scanner{doc: []byte(doc)}
	ok = scanText(&s, &text) && s.end()
	return text, ok
}

// ScanInteger reads an integer.
func ScanInteger(doc string) (n int64, ok bool) {
	s := scanner{doc: []byte(doc)}
	ok = scanInteger(&s, &n) && s.end()
	return n, ok
}

// ScanNumber reads a number.
func ScanNumber(doc string) (f float64, ok bool) {
	s := scanner{doc: []byte(doc)}
	ok = scanNumber(&s, &f) && s.end()
	return f, ok
}

// TimeOfText reads a time.
func TimeOfText(text string) (Time, bool) { return timeOfText([]byte(text)) }

// AppendTime writes a time.
func AppendTime(t Time) string {
	var a appender
	a.time(t)
	return string(a.b)
}
