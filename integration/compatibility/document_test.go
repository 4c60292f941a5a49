package compatibility

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// update is the variable that makes the tests write the document.
const update = "ZOOKIT_UPDATE_DOCS"

var document = filepath.Join("..", "..", "docs", "compatibility.md")

// Each part of the document stands between its marks.
var part = regexp.MustCompile(`(?ms)^<!-- begin (\w+) -->\n(.*?)^<!-- end (\w+) -->$`)

// replace puts text into a part of the document, or checks that it is there.
func replace(t *testing.T, name, text string) {
	t.Helper()
	raw, err := os.ReadFile(document)
	require.NoError(t, err)
	found := false
	now := part.ReplaceAllStringFunc(string(raw), func(all string) string {
		if m := part.FindStringSubmatch(all); m[1] != name || m[3] != name {
			return all
		}
		found = true
		return fmt.Sprintf("<!-- begin %s -->\n%s<!-- end %s -->", name, text, name)
	})
	require.True(t, found, "%s has no part %s", document, name)
	if os.Getenv(update) != "" {
		require.NoError(t, os.WriteFile(document, []byte(now), 0o600))
		return
	}
	require.Equal(t, now, string(raw), "%s is out of date: run this test with %s=1", document, update)
}

// present returns a part of the document as it is.
func present(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(document)
	require.NoError(t, err)
	for _, m := range part.FindAllStringSubmatch(string(raw), -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}

// TestFeatures writes the table of features, and finds every name in it in the packages.
func TestFeatures(t *testing.T) {
	known := map[string]bool{}
	for _, dir := range []string{"client", "client/admin", "recipes", "lock", "election", "barrier", "queue", "counter", "config", "group", "discovery", "zktest", "otel", "prom"} {
		exported(t, filepath.Join("..", "..", dir), known)
	}
	var b strings.Builder
	for _, s := range slices.Concat(sections, recipeSections) {
		fmt.Fprintf(&b, "\n### %s\n\n| feature | Kazoo | Curator | zookit |\n|---|---|---|---|\n", s.title)
		for _, f := range s.features {
			require.True(t, len(f.ours) > 0 || strings.HasPrefix(f.note, "absent"), "%s: where is it?", f.what)
			var names []string
			for _, name := range f.ours {
				require.True(t, known[name], "%s: %s is not exported", f.what, name)
				names = append(names, "`"+name+"`")
			}
			ours := strings.Join(names, ", ")
			if f.note != "" {
				ours = strings.TrimPrefix(ours+"; "+f.note, "; ")
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.what, dash(f.kazoo), dash(f.curator), ours)
		}
	}
	replace(t, "features", b.String()+"\n")
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// exported collects the exported names of a package, as package.Name and package.Type.Method.
func exported(t *testing.T, dir string, into map[string]bool) {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	require.NotEmpty(t, files, dir)
	p, err := doc.NewFromFiles(fset, files, dir)
	require.NoError(t, err)
	values := func(all []*doc.Value) {
		for _, v := range all {
			for _, name := range v.Names {
				into[p.Name+"."+name] = true
			}
		}
	}
	values(slices.Concat(p.Consts, p.Vars))
	for _, f := range p.Funcs {
		into[p.Name+"."+f.Name] = true
	}
	for _, typ := range p.Types {
		into[p.Name+"."+typ.Name] = true
		values(slices.Concat(typ.Consts, typ.Vars))
		for _, f := range typ.Funcs {
			into[p.Name+"."+f.Name] = true
		}
		for _, m := range typ.Methods {
			into[p.Name+"."+typ.Name+"."+m.Name] = true
		}
	}
}
