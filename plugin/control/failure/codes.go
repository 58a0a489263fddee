package failure

// Meaning is what a code of failure stands for.
type Meaning struct {
	Code         Code
	Text, Next   string
	Exit, Status int
}

// Meanings is every code with its meaning, its exit code and its HTTP status.
func Meanings() []Meaning {
	texts := map[Code][2]string{
		CodeInvalid:        {"What was asked makes no sense: a wrong flag, or a value that is not valid.", "the message names the place; --help shows examples"},
		CodeNotFound:       {"What was named is not there.", "the noun's list shows what is"},
		CodeExists:         {"It is there already, and was not changed.", "choose another name, or change what is there"},
		CodeConflict:       {"Somebody else changed it meanwhile; nothing was done.", "look at it again, then repeat the command"},
		CodeUnauthorised:   {"Who asked may not: wrong credentials, or a context or command that is read-only.", "belfry context check tells as whom the store is asked"},
		CodeUnavailable:    {"The store or a host cannot be reached; nothing was done.", "belfry context check; is belfryd, or ZooKeeper, running?"},
		CodeTimeout:        {"It took longer than --timeout allows.", "look whether it was done before it is repeated"},
		CodeUnknownOutcome: {"The connection was lost while something was stored: it may have been done.", "look before you try again"},
		CodeInternal:       {"It failed for a reason of its own, which the message tells.", "the host's log has more"},
	}
	all := make([]Meaning, 0, len(codes))
	for _, row := range codes {
		text := texts[row.code]
		all = append(all, Meaning{row.code, text[0], text[1], row.exit, row.status})
	}
	return all
}
