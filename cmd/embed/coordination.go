package embed

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/coordserver"
)

// newCoordinationServer makes `belfryd coordination-server`.
func newCoordinationServer() *cobra.Command {
	o := coordserver.Options{}
	cmd := &cobra.Command{
		Use:   "coordination-server",
		Short: "Run a ZooKeeper server for a cluster of hosts, where ZooKeeper is installed",
		Long: "Runs a ZooKeeper server, of Debian's package zookeeper unless --classpath says otherwise, with a zoo.cfg that suits\n" +
			"a cluster of hosts. The process becomes that server: signals reach it, and SIGTERM ends it with exit code 143.\n\n" +
			"Hosts may ask for a SessionTimeout of " + fmt.Sprint(coordserver.MinSession) + " to " + fmt.Sprint(coordserver.MaxSession) + " ticks.",
		Example: "  belfryd coordination-server --data var/zookeeper\n" +
			"  belfryd coordination-server --listen :2181 --data /var/lib/belfry-zookeeper --id 1 \\\n" +
			"    --server zk1.example.org:2888:3888 --server zk2.example.org:2888:3888 --server zk3.example.org:2888:3888\n" +
			"  belfryd coordination-server --data var/zookeeper --classpath '/opt/zookeeper/lib/*'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := coordserver.Prepare(o)
			if err != nil {
				return &usageError{err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "ZooKeeper for clients on %s, configuration %s\n", o.Listen, c.Config)
			return c.Exec()
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", coordserver.DefaultListen, "address for hosts, host:port; without a host, all of this machine's")
	f.StringVar(&o.Data, "data", filepath.Join("var", "zookeeper"), "folder of what the server keeps")
	f.IntVar(&o.ID, "id", 0, "this server's place in the ensemble, from 1")
	f.StringArrayVar(&o.Members, "server", nil, "a member of the ensemble, host:quorum port:election port; once for each, in the same order everywhere")
	f.DurationVar(&o.Tick, "tick", coordserver.DefaultTick, "ZooKeeper's unit of time; a session expires up to one late")
	f.StringVar(&o.Heap, "heap", coordserver.DefaultHeap, "heap of the Java machine")
	f.StringVar(&o.Java, "java", "", "Java program (default the one on the path)")
	f.StringVar(&o.ClassPath, "classpath", "", "jars of ZooKeeper (default where Debian's package puts them)")
	f.StringArrayVar(&o.Flags, "java-flag", nil, "further flag of the Java machine, as --java-flag=-XX:+UseSerialGC; repeatable")
	return cmd
}
