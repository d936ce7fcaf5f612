package contracts

import (
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// maxSafeInteger is the largest integer that every reader of JSON holds exactly (RFC 7493, section 2.2).
const maxSafeInteger = 1<<53 - 1

// parseInteger reads a JSON number whose value is an integer within ±(2^53−1), however it is spelled: 1.0 and 1e2
// are integers too, as they are in JSON Schema.
func parseInteger(literal []byte) (int64, bool) {
	if len(literal) <= 17 {
		if n, err := strconv.ParseInt(string(literal), 10, 64); err == nil {
			return n, n >= -maxSafeInteger && n <= maxSafeInteger
		}
	}
	f, ok := parseNumber(literal)
	if !ok || f < -maxSafeInteger || f > maxSafeInteger || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// maxDigits is how many significant digits tell every double from every other (IEEE 754-2019, section 5.12.2).
const maxDigits = 17

// parseNumber reads a JSON number that IEEE 754 double precision holds: printed again with as many digits, up to 17, or
// in full, it is the same number. So 0.1 and 0.10000000000000001 pass; 2^53+1, 1e400 and 0.1 with twenty more digits
// do not.
func parseNumber(literal []byte) (float64, bool) {
	if len(literal) > maxNumberBytes {
		return 0, false
	}
	text := string(literal)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return f, n == 0 || bits.Len64(n>>bits.TrailingZeros64(n)) <= 53
	}
	digits, exponent, ok := decimal(text)
	if !ok {
		return 0, false
	}
	if n := len(digits); n <= maxDigits {
		again, againExponent, _ := decimal(strconv.FormatFloat(f, 'e', max(n, 1)-1, 64))
		if digits == again && exponent == againExponent {
			return f, true
		}
	}
	return f, isExact(digits, exponent)
}

// decimal splits a JSON number into its significant digits, without zeros at either end, and a power of ten. Zero
// has no digits. It is not ok when the exponent has more digits than any number in use.
func decimal(text string) (digits string, exponent int, ok bool) {
	text = strings.TrimPrefix(text, "-")
	mantissa, power, scientific := text, "", false
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power, scientific = text[:i], text[i+1:], true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "", 0, true
	}
	if scientific {
		n, err := strconv.Atoi(power)
		if err != nil {
			return "", 0, false
		}
		exponent = n
	}
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, exponent + len(digits) - len(trimmed), true
}

// maxNumberBytes is longer than any double that is written out in full: a sign, a zero, a point and 1074 digits.
const maxNumberBytes = 1100

// The bounds of what isExact works out: no double has more significant decimal digits, nor a longer fraction.
const (
	maxExactDigits   = 767
	maxExactExponent = 1074
)

// isExact reports whether digits·10^exponent is m·2^k with |m| < 2^53. The caller has seen that it is in the range of
// doubles.
func isExact(digits string, exponent int) bool {
	if len(digits) > maxExactDigits || exponent > 308 || exponent < -maxExactExponent {
		return false
	}
	m, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return false
	}
	// 10^e is 5^e·2^e, and the power of two does not matter for the mantissa.
	five := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		m.Mul(m, five)
	} else {
		var rest big.Int
		if m.QuoRem(m, five, &rest); rest.Sign() != 0 {
			return false
		}
	}
	return m.BitLen()-int(m.TrailingZeroBits()) <= 53
}
