package contracts

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The functions of this file say in loops what patterns of the rules table say, for the texts that stand in many
// documents: a regular expression takes twenty times as long. Where one says yes the pattern matches, which a test
// holds them to; those that say no of what the pattern takes say so.

// isWordByte reports whether c is a letter, a digit or an underscore.
func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// isWordOr reports whether s has 1 to limit bytes, the first a letter, digit or underscore, the others also among more.
func isWordOr[T ~string](s T, limit int, more string) bool {
	if len(s) == 0 || len(s) > limit || !isWordByte(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !isWordByte(c) && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}

// isIdent is identPattern.
func isIdent[T ~string](s T) bool { return isWordOr(s, 64, ".-") }

// isHandle is handlePattern.
func isHandle[T ~string](s T) bool { return isWordOr(s, 128, ".:/+=@~-") }

// isToolName is toolNamePattern.
func isToolName[T ~string](s T) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWordByte(c) && c != '-' {
			return false
		}
	}
	return true
}

// isSemver is semverPattern, for versions of three numbers alone.
func isSemver[T ~string](s T) bool {
	dots := 0
	for i := 0; i < len(s); i++ {
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == start || s[start] == '0' && i > start+1 {
			return false
		}
		if i == len(s) {
			return dots == 2
		}
		if s[i] != '.' {
			return false
		}
		dots++
	}
	return false
}

// isToolRef is the pattern of the rule toolref, for a name alone and with a version that isSemver takes.
func isToolRef[T ~string](s T) bool {
	name, version, exact := strings.Cut(string(s), "@")
	return isToolName(name) && (!exact || isSemver(version))
}

// isBranch is branchPattern.
func isBranch[T ~string](s T) bool {
	const maxNames = 16
	for names, rest := 1, string(s); names <= maxNames; names++ {
		name, more, dotted := strings.Cut(rest, ".")
		if !isToolName(name) {
			return false
		}
		if !dotted {
			return true
		}
		rest = more
	}
	return false
}

// isDigest is digestPattern.
func isDigest[T ~string](s T) bool {
	if len(s) != len(digestPrefix)+64 || s[:len(digestPrefix)] != digestPrefix {
		return false
	}
	for i := len(digestPrefix); i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isRunID is the pattern of the rule runid.
func isRunID[T ~string](s T) bool {
	digits, ok := strings.CutPrefix(string(s), runPrefix)
	return ok && isULID(digits)
}

// isApprovalID is the pattern of the rule approvalid.
func isApprovalID[T ~string](s T) bool {
	digits, ok := strings.CutPrefix(string(s), approvalPrefix)
	return ok && isULID(digits)
}

// isNotBlank is the pattern of the rule notblank, for texts with a visible character of ASCII.
func isNotBlank[T ~string](s T) bool {
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < utf8.RuneSelf {
			return true
		}
	}
	return false
}

// isTarget is targetPattern, for targets without a pointer.
func isTarget[T ~string](s T) bool {
	if s == "output" || s == "usage" {
		return true
	}
	tool, ok := strings.CutPrefix(string(s), "tool:")
	return ok && isToolRef(tool)
}

// timeOfText is ParseTime without an error to say why.
func timeOfText(s []byte) (Time, bool) {
	const shape = "0000-00-00T00:00:00.000Z"
	if len(s) != len(shape) {
		return 0, false
	}
	for i, c := range s {
		if shape[i] == '0' && (c < '0' || c > '9') || shape[i] != '0' && c != shape[i] {
			return 0, false
		}
	}
	number := func(from, to int) int64 {
		var n int64
		for _, c := range s[from:to] {
			n = n*10 + int64(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	hour, minute, second := number(11, 13), number(14, 16), number(17, 19)
	if year < 1970 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	seconds := daysBefore(year, month, day)*secondsPerDay + hour*3600 + minute*60 + second
	return Time(seconds*1000 + number(20, 23)), true
}

const secondsPerDay = int64(24 * time.Hour / time.Second)

// daysOf returns how many days a month has.
func daysOf(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// The Gregorian calendar repeats after 400 years. Its years are counted from March here, so that the leap day is the
// last of its year, and its months have 30.6 days on average.
const (
	daysPerEra  = 146_097
	epochInDays = 719_468 // from 0000-03-01 to 1970-01-01
)

// daysBefore returns the days from 1970-01-01 to a date.
func daysBefore(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era, inEra := year/400, year%400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*daysPerEra + inEra*365 + inEra/4 - inEra/100 + dayOfYear - epochInDays
}

// dateOf is the inverse of daysBefore.
func dateOf(days int64) (year, month, day int64) {
	days += epochInDays
	era, inEra := days/daysPerEra, days%daysPerEra
	yearOfEra := (inEra - inEra/1460 + inEra/36_524 - inEra/146_096) / 365
	dayOfYear := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153
	year, month, day = era*400+yearOfEra, shifted+3, dayOfYear-(153*shifted+2)/5+1
	if month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}
