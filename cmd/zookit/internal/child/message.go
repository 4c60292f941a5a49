package child

import "time"

// order is what the holder tells the guard, one JSON document a line.
type order struct {
	// Until is the time until which the grant is certain, see now. Without one the command is not started.
	Until time.Duration `json:"until,omitempty"`
	// Lost tells that the grant has been lost already.
	Lost bool `json:"lost,omitempty"`
	// Signal is to be sent to the command's process group.
	Signal int `json:"signal,omitempty"`
}

// report is what the guard tells the holder, likewise.
type report struct {
	// Failed says why the command could not be started.
	Failed string `json:"failed,omitempty"`
	// NotFound tells that it is because there is no such command.
	NotFound bool `json:"notFound,omitempty"`
	// Started tells that it runs.
	Started bool `json:"started,omitempty"`
	// Ended tells that it has ended, with Code, or with 128 and the number of the signal.
	Ended bool `json:"ended,omitempty"`
	Code  int  `json:"code,omitempty"`
	// Overdue tells that the guard has ended it, since time was up.
	Overdue bool `json:"overdue,omitempty"`
}
