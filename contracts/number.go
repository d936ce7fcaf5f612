package contracts

import (
	"bytes"
	"math"
	"math/big"
	"math/bits"
	"strconv"
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

// maxDigits is how many significant digits tell every double from every other (IEEE 754-2019, section 5.12.2), and
// sureDigits how many survive the way to a double and back wherever doubles are not subnormal.
const (
	maxDigits  = 17
	sureDigits = 15
)

// parseNumber reads a JSON number that IEEE 754 double precision holds: printed again with as many digits, up to 17, or
// in full, it is the same number. So 0.1 and 0.10000000000000001 pass; 2^53+1, 1e400 and 0.1 with twenty more digits
// do not. It costs little for any number: documents may hold a hundred thousand of them.
func parseNumber(literal []byte) (float64, bool) {
	if len(literal) == 0 || len(literal) > maxNumberBytes {
		return 0, false
	}
	d, ok := decimalOf(literal)
	if !ok {
		return 0, false
	}
	if f, exact, decided := d.whole(); decided && (exact || d.count > maxDigits || isUint64(literal)) {
		return f, exact
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return 0, false
	}
	if n := d.count; n <= maxDigits {
		if magnitude := d.exponent + n; n <= sureDigits && magnitude > -300 && magnitude < 300 {
			return f, true
		}
		var room [32]byte
		if again, ok := decimalOf(strconv.AppendFloat(room[:0], f, 'e', max(n, 1)-1, 64)); ok && again.low == d.low && again.exponent == d.exponent {
			return f, true
		}
	}
	return f, d.isExact()
}

// isUint64 reports whether a JSON number is written as an integer without a sign that 64 bits hold.
func isUint64(literal []byte) bool {
	const most = len("18446744073709551615")
	if len(literal) > most {
		return false
	}
	for _, c := range literal {
		if c < '0' || c > '9' {
			return false
		}
	}
	_, err := strconv.ParseUint(string(literal), 10, 64)
	return err == nil
}

// decimal is a number in base ten: its significant digits, without zeros at either end, times a power of ten. Zero has
// no digits.
type decimal struct {
	negative bool
	// text holds the digits, and perhaps a point between them; count says how many they are.
	text  []byte
	count int
	// high and low are the digits as an integer, modulo 2^128.
	high, low uint64
	exponent  int
}

// decimalOf reads a JSON number. It is not ok when the exponent has more digits than any number in use.
func decimalOf(literal []byte) (d decimal, ok bool) {
	if d.negative = literal[0] == '-'; d.negative {
		literal = literal[1:]
	}
	first, last, point, end := -1, -1, -1, len(literal)
	for i, c := range literal {
		if c == 'e' || c == 'E' {
			end = i
			break
		}
		switch {
		case c == '.':
			point = i
		case c != '0':
			if last = i; first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return d, true
	}
	if end < len(literal) {
		n, err := strconv.Atoi(string(literal[end+1:]))
		if err != nil {
			return d, false
		}
		d.exponent = n
	}
	if point < 0 {
		point = end
	}
	d.text = literal[first : last+1]
	for _, c := range d.text {
		if c == '.' {
			continue
		}
		d.count++
		carry, low := bits.Mul64(d.low, 10)
		low, over := bits.Add64(low, uint64(c-'0'), 0)
		d.high, d.low = d.high*10+carry+over, low
	}
	d.exponent += point - last
	if last < point {
		d.exponent--
	}
	return d, true
}

// whole decides about integers of moderate size without the work that other numbers take: whether a double holds d, and
// which.
func (d decimal) whole() (f float64, exact, decided bool) {
	const mostDigits = 38 // 10^38 < 2^128
	if d.count == 0 || d.count > mostDigits || d.exponent < 0 || d.exponent > maxFives {
		return 0, false, false
	}
	zeros := bits.TrailingZeros64(d.low)
	odd := d.low>>zeros | d.high<<(64-zeros)
	rest := d.high >> zeros
	if d.low == 0 {
		zeros = bits.TrailingZeros64(d.high)
		odd, rest = d.high>>zeros, 0
		zeros += 64
	}
	// 10^e is 5^e·2^e, and the power of two does not matter for the mantissa.
	for range d.exponent {
		if rest != 0 || odd > maxMantissa {
			break
		}
		odd *= 5
	}
	if rest != 0 || odd > maxMantissa {
		return 0, false, true
	}
	f = math.Ldexp(float64(odd), zeros+d.exponent)
	if d.negative {
		f = -f
	}
	return f, true, true
}

// maxMantissa is the largest mantissa of a double.
const maxMantissa = 1<<53 - 1

// maxNumberBytes is longer than any double that is written out in full: a sign, a zero, a point and 1074 digits.
const maxNumberBytes = 1100

// The bounds of what isExact works out.
const (
	// No double has more significant decimal digits, nor a longer fraction.
	maxExactDigits   = 767
	maxExactFraction = 1074
	// 5^maxFives is the largest power of five below 2^53. A multiple of 5^checkedFives is told by its last digits, as many,
	// which 64 bits hold.
	maxFives     = 22
	checkedFives = 19
)

// isExact reports whether d, which is in the range of doubles, is m·2^k with |m| < 2^53.
func (d decimal) isExact() bool {
	fraction := max(-d.exponent, 0)
	if d.count > maxExactDigits || d.exponent > maxFives || fraction > maxExactFraction || !d.endsInFives(min(fraction, checkedFives)) {
		return false
	}
	m, ok := new(big.Int).SetString(string(bytes.ReplaceAll(d.text, []byte{'.'}, nil)), 10)
	if !ok {
		return false
	}
	five := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(max(d.exponent, fraction))), nil)
	if fraction == 0 {
		m.Mul(m, five)
	} else {
		var rest big.Int
		if m.QuoRem(m, five, &rest); rest.Sign() != 0 {
			return false
		}
	}
	return m.BitLen()-int(m.TrailingZeroBits()) <= 53
}

// endsInFives reports whether d's digits, as an integer, are a multiple of 5^n, as far as the last n digits tell: which is
// all there is to tell, since 10^n is one.
func (d decimal) endsInFives(n int) bool {
	var tail, five uint64 = 0, 1
	place, seen := uint64(1), 0
	for i := len(d.text) - 1; i >= 0 && seen < n; i-- {
		if d.text[i] == '.' {
			continue
		}
		tail += uint64(d.text[i]-'0') * place
		place *= 10
		five *= 5
		seen++
	}
	for ; seen < n; seen++ {
		five *= 5
	}
	return tail%five == 0
}
