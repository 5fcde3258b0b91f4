select *
from {{ ref('books') }}
where difference is distinct from 0
