# Completion of spillgate for PowerShell. What is typed is handed to the program
# as it is and never evaluated.
Register-ArgumentCompleter -Native -CommandName spillgate -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
    $before = @($typed | Select-Object -Skip 1)
    if ($wordToComplete.StartsWith('-')) { $before += $wordToComplete }
    & spillgate @before --generate-shell-completion 2>$null | Where-Object { $_ -and $_.StartsWith($wordToComplete) } | ForEach-Object {
        $name, $text = $_.Split(':', 2)
        if (-not $text) { $text = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $text)
    }
}
