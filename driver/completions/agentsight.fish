# fish completion of agentsight and its tools; options come from --help
function __agentsight_options
    $argv --help 2>/dev/null | string match -rga -- '(--[a-z][a-z-]+)' | sort -u
end

set -l commands record exec stat trace ssl plain process stdio system pipeline report top serve discover doctor help
complete -c agentsight -f
complete -c agentsight -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c agentsight -n '__fish_seen_subcommand_from report' -a "(agentsight report --list 2>/dev/null | string split -f1 ' ')"
complete -c agentsight -n '__fish_seen_subcommand_from report serve discover doctor' \
    -a "(__agentsight_options agentsight (commandline -opc)[2])"
complete -c agentsight -n "__fish_seen_subcommand_from record exec stat trace ssl plain process stdio system pipeline top" \
    -a "(__agentsight_options agentsight)"
complete -c agentsight -n '__fish_seen_subcommand_from record exec stat' -a "(__fish_complete_subcommand --fcs-skip=2)"
complete -c agentsight -s p -l pid -x -a "(__fish_complete_pids)"
complete -c agentsight -s o -l output -l db -l binary-path -r -F
for tool in sslsniff tcpsniff agentsight-process stdiocap agentsight-sysmon jsonfilter httpparse ssemerge llmparse authstrip sqlitesink otelsink websink
    complete -c $tool -a "(__agentsight_options $tool)"
end
