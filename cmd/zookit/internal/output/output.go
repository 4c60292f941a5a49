// Package output prints what commands have found out: as a table for people, as JSON or YAML for programs, or raw.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"
)

// Printer prints in one form.
type Printer struct {
	w      io.Writer
	format string
}

// New returns a printer on w; format is table, json, yaml or raw.
func New(w io.Writer, format string) (*Printer, error) {
	switch format {
	case "table", "json", "yaml", "raw":
		return &Printer{w: w, format: format}, nil
	}
	return nil, fmt.Errorf("output %s: give table, json, yaml or raw", format)
}

// Format is the form that was asked for.
func (p *Printer) Format() string { return p.format }

// Document is something that can be printed.
type Document interface {
	// Table is the document for people.
	Table() Table
	// Raw is the document's plain data, for scripts.
	Raw() []byte
}

// Table is rows below a header. Without a header the rows stand alone.
type Table struct {
	Header []string
	Rows   [][]string
}

// Print prints a document. Its JSON is that of encoding/json; YAML has the same names.
func (p *Printer) Print(d Document) error {
	switch p.format {
	case "json":
		return p.json(d)
	case "yaml":
		return p.yaml(d)
	case "raw":
		_, err := p.w.Write(d.Raw())
		return err
	}
	return p.table(d.Table())
}

func (p *Printer) json(d Document) error {
	e := json.NewEncoder(p.w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

// yaml goes through JSON, so that names and forms are the same.
func (p *Printer) yaml(d Document) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil { // JSON is YAML
		return err
	}
	plain(&node)
	e := yaml.NewEncoder(p.w)
	e.SetIndent(2)
	if err := e.Encode(&node); err != nil {
		return err
	}
	return e.Close()
}

// plain has a document written in blocks, and quoted only where it must be.
func plain(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		plain(child)
	}
}

func (p *Printer) table(t Table) error {
	w := tabwriter.NewWriter(p.w, 0, 4, 2, ' ', 0)
	rows := t.Rows
	if len(t.Header) > 0 {
		rows = append([][]string{t.Header}, rows...)
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Legible(cell)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	return w.Flush()
}

// Legible is text without what would move a terminal's cursor or change its colours.
func Legible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
