package store

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"axiom25/app/document"
	"axiom25/contracts"
)

// ToolGroup is the versions of one tool, the highest first.
type ToolGroup struct {
	Name     string
	Versions []contracts.ToolEntry
}

// GroupTools puts the versions of a name together. The list is in the server's order, which is kept: by name, and of a name the
// highest version first.
func GroupTools(list []contracts.ToolEntry) []ToolGroup {
	var groups []ToolGroup
	for i := range list {
		name := list[i].Spec.Name
		if n := len(groups); n > 0 && groups[n-1].Name == name {
			groups[n-1].Versions = append(groups[n-1].Versions, list[i])
			continue
		}
		groups = append(groups, ToolGroup{Name: name, Versions: []contracts.ToolEntry{list[i]}})
	}
	return groups
}

// SearchTools returns the tools of which one version says every word of a text: in its reference, its description, or what it
// is set to.
func SearchTools(groups []ToolGroup, text string) []ToolGroup {
	words := strings.Fields(strings.ToLower(text))
	var found []ToolGroup
	for _, g := range groups {
		if slices.ContainsFunc(g.Versions, func(e contracts.ToolEntry) bool { return saysAll(&e.Spec, words) }) {
			found = append(found, g)
		}
	}
	return found
}

func saysAll(spec *contracts.ToolSpec, words []string) bool {
	said := strings.ToLower(strings.Join([]string{
		string(spec.Ref()), spec.Description, string(spec.Effect), string(spec.Trust), string(spec.Transport.Type), string(spec.Approval),
	}, "\n"))
	for _, word := range words {
		if !strings.Contains(said, word) {
			return false
		}
	}
	return true
}

// FindTool returns the version that a reference names, the highest where it names none; nil where there is none, and whether it
// is the highest.
func FindTool(groups []ToolGroup, ref contracts.ToolRef) (entry *contracts.ToolEntry, highest bool) {
	name, version := ref.Split()
	for _, g := range groups {
		for i := range g.Versions {
			if g.Name == name && (version == "" || g.Versions[i].Spec.Version == version) {
				return &g.Versions[i], i == 0
			}
		}
	}
	return nil, false
}

// ErrNoVersion says that the version in a document is none that could be raised.
var ErrNoVersion = errors.New("the document has no version of three numbers that could be raised")

// RaiseVersion returns the text of a ToolSpec with the next patch version that its name does not have yet, and that version.
// Everything else stays as it is written. What is a pre-release becomes the release, and build metadata goes (SemVer 2.0.0,
// sections 9 and 10).
func RaiseVersion(groups []ToolGroup, text string) (raised, version string, err error) {
	read := document.Read(text)
	name, _ := textAt(read, "/name")
	version, _ = textAt(read, "/version")
	for {
		if version, err = nextPatch(version); err != nil {
			return "", "", err
		}
		if known, _ := FindTool(groups, contracts.ToolRef(name+"@"+version)); known == nil {
			break
		}
	}
	raised, err = read.Set("/version", document.Quote(version))
	return raised, version, err
}

func textAt(t *document.Text, pointer string) (string, bool) {
	v := t.Find(pointer)
	if v == nil {
		return "", false
	}
	return v.Text()
}

// nextPatch is the lowest release behind a version whose major and minor are the same.
func nextPatch(version string) (string, error) {
	release, _, _ := strings.Cut(version, "+")
	release, _, early := strings.Cut(release, "-")
	numbers := strings.Split(release, ".")
	if len(numbers) != 3 {
		return "", ErrNoVersion
	}
	patch, err := strconv.ParseInt(numbers[2], 10, 32)
	if err != nil {
		return "", ErrNoVersion
	}
	if early {
		return release, nil
	}
	return numbers[0] + "." + numbers[1] + "." + strconv.FormatInt(patch+1, 10), nil
}

// TrustIn is the trust that the text of a ToolSpec claims; untrusted where it claims none.
func TrustIn(text string) contracts.Trust {
	if trust, ok := textAt(document.Read(text), "/trust"); ok {
		return contracts.Trust(trust)
	}
	return contracts.TrustUntrusted
}

// JudgeStored holds what the server makes of the text of a ToolSpec against the contract: the same with trust untrusted.
func JudgeStored(text string) Judgement {
	stored, err := document.Read(text).Set("/trust", document.Quote(string(contracts.TrustUntrusted)))
	if err != nil {
		return Judgement{}
	}
	return Judge(contracts.KindToolSpec, stored)
}
