package embed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed42aab489/belfry/dataservice/host/auth"
)

// newUsers groups what concerns the users file (auth.users_file).
func newUsers() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Make and check the lines of a users file",
		Long: "A users file (auth.users_file) has a line for each user and each token:\n\n" +
			"  name:hash roles=sales,admin scopes=tasks:read expires=2027-06-30\n\n" +
			"It must be readable by its owner alone. The host reads it again when it changes.",
	}
	cmd.AddCommand(newUsersHash(), newUsersToken(), newUsersCheck())
	return cmd
}

// rights are the flags that say what a line allows.
type rights struct {
	roles, scopes []string
	expires       string
}

func (r *rights) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&r.roles, "roles", nil, "roles, with commas")
	cmd.Flags().StringSliceVar(&r.scopes, "scopes", nil, "scopes for the interfaces of programs, such as tasks:read, with commas")
	cmd.Flags().StringVar(&r.expires, "expires", "", "day (2027-06-30) or time after which the line is void")
}

// line is that of a users file; it is checked.
func (r *rights) line(name, hash string) (string, error) {
	line := name + ":" + hash
	for _, a := range []struct{ what, value string }{
		{"roles", strings.Join(r.roles, ",")}, {"scopes", strings.Join(r.scopes, ",")}, {"expires", r.expires},
	} {
		if a.value != "" {
			line += " " + a.what + "=" + a.value
		}
	}
	if err := auth.Check([]byte(line)); err != nil {
		_, reason, _ := strings.Cut(err.Error(), ": ")
		return "", &usageError{errors.New(reason)}
	}
	return line, nil
}

func newUsersHash() *cobra.Command {
	var r rights
	cmd := &cobra.Command{
		Use:     "hash NAME",
		Short:   "Ask for a password and write the user's line, with its argon2id hash",
		Long:    "The password is asked for on the terminal, or is the first line of standard input.",
		Example: "  belfryd users hash anna --roles sales,admin >> /etc/belfry/users",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			hash, err := auth.HashPassword(password)
			if err != nil {
				return &usageError{err}
			}
			line, err := r.line(args[0], hash)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), line)
			return err
		},
	}
	r.flags(cmd)
	return cmd
}

func newUsersToken() *cobra.Command {
	var r rights
	cmd := &cobra.Command{
		Use:     "token NAME",
		Short:   "Make a bearer token: the line goes to standard output, the token to standard error",
		Long:    "The token is shown once; the line holds only its hash.",
		Example: "  belfryd users token feed --roles reports --expires 2027-06-30 >> /etc/belfry/users",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, hash := auth.NewToken()
			line, err := r.line(args[0], hash)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.ErrOrStderr(), "token:", token)
			return err
		},
	}
	r.flags(cmd)
	return cmd
}

func newUsersCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Tell what is wrong with a users file",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, err := auth.New(auth.Options{Users: args[0]})
			return err
		},
	}
}

// askPassword reads a password twice from a terminal, unseen, or once from
// elsewhere.
func askPassword(in io.Reader, out io.Writer) (string, error) {
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(out, prompt)
		password, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(out)
		return string(password), err
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Once more: ")
	if err == nil && first != second {
		err = &usageError{errors.New("the two are not the same")}
	}
	return first, err
}
