package output

import (
	"encoding/json"
	"io"
	"unicode/utf8"
)

// Data is the data of a node: in JSON text if it is text, and otherwise bytes, in base64.
type Data struct {
	Text  *string `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
}

// DataOf returns data in that form.
func DataOf(data []byte) Data {
	if !utf8.Valid(data) {
		return Data{Bytes: data}
	}
	text := string(data)
	return Data{Text: &text}
}

// Line prints one of many that come one after the other: as a JSON document on a line of its own, unless people read it.
func (p *Printer) Line(v any, text string) error {
	if p.format == "json" || p.format == "yaml" {
		e := json.NewEncoder(p.w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	_, err := io.WriteString(p.w, text+"\n")
	return err
}
