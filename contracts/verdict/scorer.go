package verdict

import (
	"unicode/utf8"

	"axiom25/contracts"
)

// maxSimilarityRunes is the longest text that similarity compares, in code points.
const maxSimilarityRunes = 8192

// scorer evaluates one scorer. It passes at or above its floor, or, where it has none, at or above what the
// whole contract passes at.
func (j *judge) scorer(s *contracts.Scorer) contracts.CheckResult {
	result := contracts.CheckResult{ID: s.ID}
	score, err := j.score(s)
	if err != nil {
		result.Status, result.Reason = contracts.CheckError, err.Error()
		return result
	}
	result.Score = &score
	threshold := j.contract.PassAt
	if s.Floor != nil {
		threshold = *s.Floor
	}
	result.Status = contracts.CheckPass
	if score < threshold {
		result.Status, result.Reason = contracts.CheckFail, "the score is below its threshold"
	}
	return result
}

// score is within 0..1. Samples do not matter to judges that always say the same.
func (j *judge) score(s *contracts.Scorer) (float64, error) {
	switch s.Type {
	case contracts.ScoreExact:
		if s.Reference == nil {
			return 0, errValue
		}
		if j.evidence.Output == *s.Reference {
			return 1, nil
		}
		return 0, nil
	case contracts.ScoreSimilarity:
		if s.Reference == nil {
			return 0, errValue
		}
		return similarity(j.evidence.Output, *s.Reference)
	case contracts.ScoreRubric, contracts.ScoreLabel:
		return 0, errJudge
	}
	return 0, errType
}

// similarity is the Levenshtein ratio: 1 less the edit distance over the length of the longer text, in code
// points; 1 for two empty texts.
func similarity(a, b string) (float64, error) {
	if utf8.RuneCountInString(a) > maxSimilarityRunes || utf8.RuneCountInString(b) > maxSimilarityRunes {
		return 0, errTooLong
	}
	left, right := []rune(a), []rune(b)
	longer := max(len(left), len(right))
	if longer == 0 {
		return 1, nil
	}
	return float64(longer-distance(left, right)) / float64(longer), nil
}

// distance is the Levenshtein distance (insertions, deletions and substitutions cost 1 each), by Wagner and
// Fischer's algorithm with one row.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for k, y := range b {
			replaced := diagonal
			if x != y {
				replaced++
			}
			diagonal = row[k+1]
			row[k+1] = min(replaced, diagonal+1, row[k]+1)
		}
	}
	return row[len(b)]
}
