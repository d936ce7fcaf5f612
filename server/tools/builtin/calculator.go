package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"axiom25/contracts"
)

var (
	// ErrExpression says that an expression cannot be read, or uses what the calculator does not have.
	ErrExpression = errors.New("the expression is not arithmetic")
	// ErrUnknownName says that an expression uses a name that is neither a variable nor a constant nor a function.
	ErrUnknownName = errors.New("the expression names what is neither a variable nor a function")
	// ErrNotFinite says that a result is too large or not defined, as after a division by zero.
	ErrNotFinite = errors.New("the result is not a finite number")
	// ErrInexact says that a whole number is written that double precision cannot hold.
	ErrInexact = errors.New("a whole number beyond ±(2^53-1) cannot be held exactly")
	// ErrArity says that a function got a wrong number of arguments, or a number where it takes a list.
	ErrArity = errors.New("a function got arguments that it does not take")
)

// maxExpressionNodes bounds the syntax tree of an expression.
const maxExpressionNodes = 1000

// Calculator evaluates arithmetic. It implements tools.Builtin.
//
// All numbers are IEEE 754 doubles, as in JSON, so that nothing wraps around: whole numbers are exact up to 2^53,
// and a result that is not finite is an error. The language is expr-lang's, of which only operators, the
// conditional and the functions of the table below are let through: there are no loops, texts or members, and
// time and memory follow the length of the expression.
type Calculator struct {
	spec *contracts.ToolSpec
}

// NewCalculator returns the tool.
func NewCalculator() *Calculator {
	return &Calculator{spec: computing("calculator", calculatorDescription, calculatorInput, calculatorOutput)}
}

const calculatorDescription = `Evaluates an arithmetic expression in double precision. ` +
	`Operators: + - * / % ** (power, also ^), comparisons, and, or, not, and cond ? a : b. Constants: pi, e. ` +
	`Functions: abs, ceil, floor, trunc, round(x[, digits]), sqrt, cbrt, pow, exp, ln, log10, log2, sin, cos, tan, asin, acos, ` +
	`atan, atan2, hypot, and min, max, sum, mean, median, count of numbers or of a variable that holds a list. ` +
	`The result must be a finite number.`

const calculatorInput = `{
	"type": "object", "required": ["expression"], "additionalProperties": false,
	"properties": {
		"expression": {"type": "string", "minLength": 1, "maxLength": 4096, "description": "for instance round(mass / volume, 2)"},
		"variables": {
			"type": "object", "maxProperties": 64,
			"propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]{0,63}$"},
			"additionalProperties": {
				"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "maxItems": 10000}]
			},
			"description": "values by name: numbers, or lists of numbers for sum, mean and their like"
		}
	}
}`

const calculatorOutput = `{
	"type": "object", "required": ["value"], "additionalProperties": false,
	"properties": {"value": {"type": "number"}}
}`

// Spec implements tools.Builtin.
func (c *Calculator) Spec() *contracts.ToolSpec { return c.spec }

// calculatorArgs are the tool's arguments.
type calculatorArgs struct {
	Expression string                     `json:"expression"`
	Variables  map[string]json.RawMessage `json:"variables"`
}

// calculatorResult is the tool's output.
type calculatorResult struct {
	Value float64 `json:"value"`
}

// Call implements tools.Builtin.
func (c *Calculator) Call(_ context.Context, args json.RawMessage, _ []contracts.Input) (json.RawMessage, error) {
	var a calculatorArgs
	if err := decodeArgs(args, &a); err != nil {
		return nil, err
	}
	env := map[string]any{"pi": math.Pi, "e": math.E}
	for name, raw := range a.Variables {
		value, err := variable(raw)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
		if _, taken := functions()[name]; taken {
			return nil, fmt.Errorf("variable %s: %w: it is a function's name", name, ErrExpression)
		}
		env[name] = value
	}
	value, err := evaluate(a.Expression, env)
	if err != nil {
		return nil, err
	}
	return encode(calculatorResult{Value: value})
}

// variable reads a number or a list of numbers.
func variable(raw json.RawMessage) (any, error) {
	var list []float64
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, ErrNotFinite
		}
		return list, nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, ErrExpression
	}
	if whole, err := n.Int64(); err == nil && (whole > maxExact || whole < -maxExact) {
		return nil, ErrInexact
	}
	f, err := n.Float64()
	if err != nil {
		return nil, ErrNotFinite
	}
	return f, nil
}

// evaluate compiles and runs an expression.
func evaluate(text string, env map[string]any) (float64, error) {
	guard := &arithmetic{env: env}
	options := []expr.Option{
		expr.Env(env), expr.DisableAllBuiltins(), expr.MaxNodes(maxExpressionNodes), expr.Patch(guard), expr.AsFloat64(),
		expr.Optimize(false),
	}
	for name, f := range functions() {
		options = append(options, expr.Function(name, f))
	}
	program, err := expr.Compile(spelled(text), options...)
	if guard.err != nil {
		return 0, guard.err
	}
	if err != nil {
		return 0, ErrExpression // the compiler's message quotes the expression
	}
	result, err := expr.Run(program, env)
	if errors.Is(err, ErrArity) {
		return 0, ErrArity
	}
	value, ok := result.(float64)
	if err != nil || !ok {
		return 0, ErrExpression
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, ErrNotFinite
	}
	return value, nil
}

// quoted finds what could hold a text.
var quoted = regexp.MustCompile("[\"'`]")

// spelled refuses texts before the parser sees them, by leaving nothing to parse.
func spelled(text string) string {
	if quoted.MatchString(text) {
		return ""
	}
	return text
}

// operators are those that the calculator has, sorted.
var operators = []string{"!", "!=", "%", "&&", "*", "**", "+", "-", "/", "<", "<=", "==", ">", ">=", "^", "and", "not", "or", "||"}

// arithmetic is a visitor that makes every literal a double, and refuses what is not arithmetic.
type arithmetic struct {
	env map[string]any
	err error
}

// Visit implements ast.Visitor.
func (a *arithmetic) Visit(node *ast.Node) {
	if a.err != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.IntegerNode:
		if n.Value > maxExact || n.Value < -maxExact {
			a.err = ErrInexact
			return
		}
		ast.Patch(node, &ast.FloatNode{Value: float64(n.Value)})
	case *ast.FloatNode, *ast.BoolNode, *ast.ConditionalNode:
	case *ast.UnaryNode:
		a.operator(n.Operator)
	case *ast.BinaryNode:
		a.operator(n.Operator)
		if n.Operator == "%" { // the language has it for integers only
			ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: "mod"}, Arguments: []ast.Node{n.Left, n.Right}})
		}
	case *ast.IdentifierNode:
		_, isFunction := functions()[n.Value]
		if _, isVariable := a.env[n.Value]; !isVariable && !isFunction {
			a.err = ErrUnknownName
		}
	case *ast.CallNode:
		if _, ok := n.Callee.(*ast.IdentifierNode); !ok {
			a.err = ErrExpression
		}
	default:
		a.err = ErrExpression
	}
}

func (a *arithmetic) operator(op string) {
	if _, ok := slices.BinarySearch(operators, op); !ok {
		a.err = ErrExpression
	}
}

// function is what the language calls.
type function = func(args ...any) (any, error)

// functions returns the calculator's functions by name.
func functions() map[string]function {
	return map[string]function{
		"abs": unary(math.Abs), "ceil": unary(math.Ceil), "floor": unary(math.Floor), "trunc": unary(math.Trunc),
		"sqrt": unary(math.Sqrt), "cbrt": unary(math.Cbrt), "exp": unary(math.Exp), "ln": unary(math.Log),
		"log10": unary(math.Log10), "log2": unary(math.Log2), "sin": unary(math.Sin), "cos": unary(math.Cos),
		"tan": unary(math.Tan), "asin": unary(math.Asin), "acos": unary(math.Acos), "atan": unary(math.Atan),
		"atan2": binary(math.Atan2), "hypot": binary(math.Hypot), "pow": binary(math.Pow), "mod": binary(math.Mod),
		"round": round,
		"min":   ofList(slices.Min[[]float64]), "max": ofList(slices.Max[[]float64]), "sum": ofList(sum),
		"mean": ofList(func(l []float64) float64 { return sum(l) / float64(len(l)) }), "median": ofList(median),
		"count": ofList(func(l []float64) float64 { return float64(len(l)) }),
	}
}

func unary(f func(float64) float64) function {
	return func(args ...any) (any, error) {
		list, err := flat(args)
		if err != nil || len(args) != 1 || len(list) != 1 {
			return nil, ErrArity
		}
		return f(list[0]), nil
	}
}

func binary(f func(x, y float64) float64) function {
	return func(args ...any) (any, error) {
		list, err := flat(args)
		if err != nil || len(args) != 2 || len(list) != 2 {
			return nil, ErrArity
		}
		return f(list[0], list[1]), nil
	}
}

// ofList makes a function of the numbers and lists that it is given; it needs at least one number.
func ofList(f func([]float64) float64) function {
	return func(args ...any) (any, error) {
		list, err := flat(args)
		if err != nil || len(list) == 0 {
			return nil, ErrArity
		}
		return f(list), nil
	}
}

// flat returns arguments as one list of numbers.
func flat(args []any) ([]float64, error) {
	var list []float64
	for _, arg := range args {
		switch arg := arg.(type) {
		case float64:
			list = append(list, arg)
		case []float64:
			list = append(list, arg...)
		default:
			return nil, ErrArity
		}
	}
	return list, nil
}

// maxDigits is how many decimals double precision can be asked to round to.
const maxDigits = 15

// round rounds half away from zero, to a number of decimals where one is given.
func round(args ...any) (any, error) {
	list, err := flat(args)
	if err != nil || len(list) != len(args) || len(list) < 1 || len(list) > 2 {
		return nil, ErrArity
	}
	if len(list) == 1 {
		return math.Round(list[0]), nil
	}
	digits := list[1]
	if digits != math.Trunc(digits) || digits < 0 || digits > maxDigits {
		return nil, ErrArity
	}
	scale := math.Pow(10, digits)
	if scaled := list[0] * scale; !math.IsInf(scaled, 0) {
		return math.Round(scaled) / scale, nil
	}
	return list[0], nil
}

// sum adds with Neumaier's correction, so that the order of the numbers hardly matters.
func sum(list []float64) float64 {
	total, lost := 0.0, 0.0
	for _, x := range list {
		t := total + x
		if math.Abs(total) >= math.Abs(x) {
			lost += (total - t) + x
		} else {
			lost += (x - t) + total
		}
		total = t
	}
	return total + lost
}

// median is the middle number, or the mean of the two in the middle.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
