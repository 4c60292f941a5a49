package admin

import "strings"

var ruok = question[struct{}]{"ruok", "ruok", ruokFromText, ruokFromJSON}

func ruokFromText(text string) (struct{}, error) {
	if strings.TrimSpace(text) != "imok" {
		return struct{}{}, malformed(text)
	}
	return struct{}{}, nil
}

// ruokFromJSON has nothing to read: what is wrong has been found by then.
func ruokFromJSON([]byte) (struct{}, error) { return struct{}{}, nil }
