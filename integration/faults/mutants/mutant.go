package mutants

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Mutant is one planted defect.
type Mutant struct {
	// Name is one word with dashes.
	Name string
	// Doc says in a sentence what is wrong, and who has done it so.
	Doc string
	// Workload is the one whose checker has to find it.
	Workload string
	// Edits are the changes, of files that lie below the module's root.
	Edits []Edit
}

// Edit replaces a text that is once in a file.
type Edit struct {
	File     string
	Old, New string
}

// apply returns the file's text with the edit made.
func (e Edit) apply(text string) (string, error) {
	if n := strings.Count(text, e.Old); n != 1 {
		return "", fmt.Errorf("%s has %d times, and not once, %q: has it been changed? then change the mutant", e.File, n, e.Old)
	}
	return strings.Replace(text, e.Old, e.New, 1), nil
}

// Overlay writes the mutant's files into dir, and the document for go build's flag
// -overlay, the path of which it returns. root is the folder of the module zookit.
func (m Mutant) Overlay(root, dir string) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, e := range m.Edits {
		text, ok := texts[e.File]
		if !ok {
			content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return "", fmt.Errorf("mutant %s: %w", m.Name, err)
			}
			text = string(content)
		}
		if texts[e.File], err = e.apply(text); err != nil {
			return "", fmt.Errorf("mutant %s: %w", m.Name, err)
		}
	}
	if len(texts) == 0 {
		return "", fmt.Errorf("mutant %s: %w", m.Name, errors.New("it changes nothing"))
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, text := range texts {
		to := filepath.Join(dir, m.Name+"_"+strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(root, filepath.FromSlash(file))] = to
	}
	document, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, m.Name+".json")
	return path, os.WriteFile(path, document, 0o600)
}
