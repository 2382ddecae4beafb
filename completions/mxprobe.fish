# Completion of mxprobe for fish. It never asks the network: what stands for a target is left to the user.

complete -c mxprobe -f
complete -c check_mxprobe -w mxprobe

complete -c mxprobe -s H -l hostname -x -d 'The same as a positional target'
complete -c mxprobe -s i -l input -r -F -d 'Read targets from a file, one a line'
complete -c mxprobe -s 4 -l ipv4 -d 'Only IPv4 addresses'
complete -c mxprobe -s 6 -l ipv6 -d 'Only IPv6 addresses'
complete -c mxprobe -s p -l port -x -d 'SMTP port of targets that name none'
complete -c mxprobe -l public-only -d 'Do not contact private and other special addresses'
complete -c mxprobe -l control -x -d 'A target known to work, probed in the same run'
complete -c mxprobe -l classify -d 'No probing: classify replies or log lines read'

complete -c mxprobe -s f -l from -x -d 'MAIL FROM address'
complete -c mxprobe -s F -l helo -x -d 'Name to say in EHLO'
complete -c mxprobe -l fqdn -x -d 'Name to say in EHLO'
complete -c mxprobe -s t -l timeout -x -d 'Seconds from connect to the reply to MAIL FROM'
complete -c mxprobe -l connect-timeout -x -d 'The connect part of it'
complete -c mxprobe -l tls -x -a 'off auto require verify dane' -d 'What to do about STARTTLS'
complete -c mxprobe -s S -l starttls -d 'Require STARTTLS'
complete -c mxprobe -l mta-sts -d 'Fetch and apply the MTA-STS policy of the domain'

complete -c mxprobe -s n -l repeat -x -d 'Sessions per endpoint'
complete -c mxprobe -l interval -x -d 'Pause between two sessions to one endpoint'
complete -c mxprobe -s j -l jobs -x -d 'Sessions open at once'
complete -c mxprobe -l per-address -x -d 'Sessions open at once to one address'
complete -c mxprobe -l rate -x -d 'New sessions a second'
complete -c mxprobe -l deadline -x -d 'Limit in seconds for the whole run'
complete -c mxprobe -l jitter -x -d 'Wait a random time up to so many seconds first'

complete -c mxprobe -l resolver -x -d 'Ask this recursive resolver'
complete -c mxprobe -l trust-ad -d 'Believe the AD bit of the resolver'
complete -c mxprobe -s b -l bind -x -d 'Source address, one per family'

complete -c mxprobe -l json -d 'JSON Lines, one object a target'
complete -c mxprobe -s o -l output -r -F -d 'Write there, whole or not at all'
complete -c mxprobe -l watch -f -a '30 60 300' -d 'Probe again every so many seconds'
complete -c mxprobe -l explain -d 'Say what each class means and what to do'
complete -c mxprobe -l sender -x -a 'postfix exim' -d 'Model the delivery of this mail server'
complete -c mxprobe -l color -x -a 'auto always never' -d 'Colour the table'
complete -c mxprobe -s v -l verbose -d 'Show the dialogue on standard error; twice, DNS too'
complete -c mxprobe -s q -l quiet -d 'No progress, no table'

complete -c mxprobe -l nagios -d 'Plugin mode'
complete -c mxprobe -s w -l warning -x -d 'WARNING on that many unhealthy endpoints'
complete -c mxprobe -s c -l critical -x -d 'CRITICAL on that many unhealthy endpoints'
complete -c mxprobe -l warning-time -x -d 'WARNING on the slowest healthy session'
complete -c mxprobe -l critical-time -x -d 'CRITICAL on the slowest healthy session'
complete -c mxprobe -s D -l certificate -x -d 'Limits on the days certificates are good for'
complete -c mxprobe -l prometheus -f -a addresses -d 'Prometheus text exposition'

complete -c mxprobe -l history -r -F -d 'Append every result, find changes'
complete -c mxprobe -l report -f -a '24h 7d 30d 1y' -d 'No probing: what the history says'
complete -c mxprobe -l html -d 'With --report, a page for browsers'
complete -c mxprobe -l confirm -x -d 'Runs in a row that make a change of verdict'
complete -c mxprobe -l keep -x -a '30d 90d 1y' -d 'Drop history older than this span'

complete -c mxprobe -l webhook -x -d 'POST results there as JSON'
complete -c mxprobe -l webhook-on -x -a 'change problem always' -d 'Which results'
complete -c mxprobe -l webhook-secret -r -F -d 'Sign what is sent with this secret'

complete -c mxprobe -l no-sandbox -d 'Keep the rights that a probe does not need'
complete -c mxprobe -s h -l help -d 'Show all options'
complete -c mxprobe -s V -l version -d 'Show the version'
