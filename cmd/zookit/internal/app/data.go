package app

import (
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Input is where a command's data comes from: an argument, a file, or standard input for "-".
type Input struct{ file string }

// Flags adds the flag that names the file.
func (i *Input) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&i.file, "file", "f", "", "take the data from this file; - is standard input")
}

// Read returns the data; given tells whether there is any.
func (i *Input) Read(env *Env, args []string) (data []byte, given bool, err error) {
	switch {
	case i.file != "" && len(args) > 0:
		return nil, false, Usagef("the data is given twice: as an argument and by --file")
	case i.file == "-":
		data, err = io.ReadAll(env.In)
	case i.file != "":
		data, err = os.ReadFile(i.file)
	case len(args) > 0:
		return []byte(args[0]), true, nil
	default:
		return nil, false, nil
	}
	return data, true, err
}

// Must is Read for a command that needs data.
func (i *Input) Must(env *Env, args []string) ([]byte, error) {
	data, given, err := i.Read(env, args)
	if err == nil && !given {
		err = Usagef("the data is missing: give it as an argument, or by --file")
	}
	return data, err
}

// Emit prints data as it is; a line end is added only on a terminal.
func (e *Env) Emit(data []byte) error {
	_, err := e.Out.Write(data)
	if err == nil && e.Terminal() && len(data) > 0 && data[len(data)-1] != '\n' {
		_, err = io.WriteString(e.Out, "\n")
	}
	return err
}
