package parts_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
)

// TestTheEditorsCopyIsItsText draws texts around the number of lines that are drawn together: the copy must be the text,
// line by line, or the caret stands elsewhere than what it changes.
func TestTheEditorsCopyIsItsText(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?s)<div class="editor-line[^"]*">(.*?)</div>`)
	tag := regexp.MustCompile(`</?mark[^>]*>`)
	for _, lines := range []int{1, 2, 99, 100, 101, 200, 201, 250} {
		text := make([]string, lines)
		var marks []parts.Mark
		for i, offset := 0, 0; i < lines; i++ {
			text[i] = fmt.Sprintf("line %d", i+1)
			if i%33 == 0 || i == lines-1 {
				marks = append(marks, parts.Mark{Start: offset, End: offset + len("line")})
			}
			offset += len(text[i]) + 1
		}
		editor := &parts.Editor{Text: strings.Join(text, "\n"), Marks: marks}
		engine := app.NewTestEngine()
		if err := engine.Load(editor); err != nil {
			t.Fatal(err)
		}
		engine.ConsumeAll()
		found := line.FindAllStringSubmatch(app.HTMLString(editor), -1)
		if len(found) != lines {
			t.Errorf("%d lines are drawn as %d", lines, len(found))
			continue
		}
		for i, m := range found {
			got := html.UnescapeString(tag.ReplaceAllString(m[1], ""))
			if got = strings.Join(strings.Fields(got), " "); got != text[i] { // as indented by the test engine
				t.Errorf("of %d lines, line %d is drawn as %q", lines, i+1, got)
			}
			if marked := strings.Contains(m[1], "<mark"); marked != (i%33 == 0 || i == lines-1) {
				t.Errorf("of %d lines, line %d is drawn with a mark: %t", lines, i+1, marked)
			}
		}
	}
}
