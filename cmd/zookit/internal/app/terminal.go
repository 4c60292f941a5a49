package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Size is how many columns and rows the terminal has that a person reads; 80 and 24 where that cannot be told.
func (e *Env) Size() (columns, rows int) {
	if f, ok := e.Out.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 24
}

// Confirm asks a person a question that is answered by y or yes, and by anything else for no. Where nobody can
// answer, since standard input is no terminal, it is a wrong call: the flag yes would have answered.
func (e *Env) Confirm(question, yes string) (bool, error) {
	if f, ok := e.In.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return false, Usagef("there is no terminal to ask at: %s answers yes", yes)
	}
	fmt.Fprintf(e.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(e.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
